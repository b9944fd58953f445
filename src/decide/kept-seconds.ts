/**
 * How long Redis keeps what a report of a decision's outcomes needs: thirty days, or as long as an offer of it may be redeemed
 * and told of.
 */
import type { DecisionOutline } from './decision-outline.ts';
import { reportingMs } from './ledger/contact-for.ts';

/** Of most decisions. */
export const decisionTtlSeconds = 30 * 86_400;

const usualMs = decisionTtlSeconds * 1000;

/** Seconds from the decision on. */
export function keptSeconds({
  decidedAt,
  placements,
}: Pick<DecisionOutline, 'decidedAt' | 'placements'>): number {
  let keptMs = usualMs;
  for (const { offers } of placements)
    for (const { redeemableUntil } of offers)
      if (redeemableUntil !== undefined)
        keptMs = Math.max(keptMs, Date.parse(redeemableUntil) - Date.parse(decidedAt) + reportingMs);
  return Math.ceil(keptMs / 1000);
}

/** Kept longer than most. */
export function isKeptLong(seconds: number): boolean {
  return seconds > decisionTtlSeconds;
}
