/** Which decisions a candidate learns from, and which it is then tried on: the latest. */
import type { OfferSamples } from './samples.ts';

/** Share of the decisions, the latest, that policies are tried on. */
const testShare = 0.3;

/** The first instant of the latest share of decisions made at `times`; undefined: there are none. */
export function testFrom(times: readonly number[]): number | undefined {
  const sorted = Float64Array.from(times).sort();
  return sorted[Math.floor((1 - testShare) * sorted.length)];
}

/**
 * Where the later decisions begin. What is served has learnt from everything until `seenUntil`, and would be flattered by
 * decisions whose window had passed then.
 */
export function splitBeyond(
  latestFrom: number,
  champion: { seenUntil: number; windowMs: number } | undefined,
): number {
  return champion === undefined
    ? latestFrom
    : Math.max(latestFrom, champion.seenUntil - champion.windowMs + 1);
}

/** Rows whose window had passed by the split, and those from it on. */
export function dividedAt(
  { at }: Pick<OfferSamples, 'at'>,
  splitAt: number,
  windowMs: number,
): { earlier: Int32Array; later: Int32Array } {
  const rows = Int32Array.from(at.keys());
  return {
    earlier: rows.filter((row) => at[row]! + windowMs <= splitAt),
    later: rows.filter((row) => at[row]! >= splitAt),
  };
}
