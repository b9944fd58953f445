/**
 * Whose risk has crossed the bound. Where each customer stands is kept in one hash for each bound and horizon, so that with
 * another of either everybody's standing is taken down anew, and nobody is told of for the change of a setting.
 */
import type { CustomerId } from '../../domain/ids.ts';
import { dayMs } from '../../domain/time.ts';
import type { NoticeReason, OutboxEntry } from '../../domain/webhook.ts';
import { decodeRiskState, encodeRiskState, seeRisk } from '../../webhooks/risk-state.ts';
import { type OutboxDeps, putIntoOutbox } from './outbox.ts';

export type SeenRisk = {
  customerId: CustomerId;
  risk: number;
  /** What raises the risk, strongest first; asked only where the bound was crossed. */
  reasons: () => readonly NoticeReason[];
};

export type CrossingDeps = OutboxDeps & {
  /** WEBHOOK_RISK_ABOVE. */
  bound: number;
  /** Of the model that has said the risks. */
  horizonDays: number;
  /** Milliseconds since 1970. */
  now: number;
};

const customersAtOnce = 1000;
/** Of standings that nobody asks for any more, of another bound or horizon. */
const unusedTtlMs = 90 * dayMs;

/**
 * Puts every upward crossing into the outbox, once, together with where the customer stands now; answers how many there
 * were. For the customers of one event as for everybody in a night; two at once tell of a crossing under one id.
 */
export async function riskCrossings(deps: CrossingDeps, seen: readonly SeenRisk[]): Promise<number> {
  let crossings = 0;
  for (let start = 0; start < seen.length; start += customersAtOnce)
    crossings += await seeSome(deps, seen.slice(start, start + customersAtOnce));
  return crossings;
}

async function seeSome(deps: CrossingDeps, seen: readonly SeenRisk[]): Promise<number> {
  const { redis, keys, bound, horizonDays, now } = deps;
  const key = keys.webhookRisk(bound, horizonDays);
  const known = await redis.hmget(key, ...seen.map(({ customerId }) => customerId));
  const changed: Record<string, string> = {};
  const entries: OutboxEntry[] = [];
  seen.forEach(({ customerId, risk, reasons }, s) => {
    const { state, crossed } = seeRisk(decodeRiskState(known[s]), risk, bound, now);
    const text = encodeRiskState(state);
    if (text !== known[s]) changed[customerId] = text;
    if (!crossed) return;
    const cause = { belowSince: state.since, at: now, risk, bound, horizonDays, reasons: [...reasons()] };
    entries.push({ kind: 'cause', customerId, cause: { kind: 'churnRisk', ...cause } });
  });
  await putIntoOutbox(deps, entries, (transaction) => {
    if (Object.keys(changed).length > 0) transaction.hset(key, changed);
    transaction.pexpire(key, unusedTtlMs);
  });
  return entries.length;
}
