import { dayMs } from '../domain/time.ts';
import { daysSince, decay, type Feature, NEVER } from './feature.ts';

const recentHalfLifeDays = 14;
const longHalfLifeDays = 90;
/** Looking around within this time of the last sign of life is the same visit. */
const visitGapMs = 30 * 60_000;
/** Added above and below in the trend: one visit in the long window, so that a rare visitor's trend stays near 1. */
const priorPerWeek = (7 * Math.LN2) / longHalfLifeDays;
const trendMax = 10;

/**
 * Visits a week of late (half-life 14 days), their trend (that rate over the one with a half-life of 90 days; 1 = as ever,
 * 0 = gone quiet, at most 10), and days since the last. Visits, views and carts count, half an hour of them as one visit.
 * For somebody who never visited: 0 visits, trend 1, 0 days.
 */
export const visits = {
  name: 'visits',
  slots: ['recent', 'long', 'countedAt', 'firstAt', 'lastAt'],
  outputs: ['visitsPerWeek', 'visitTrend', 'daysSinceLastVisit'],
  ranges: { visitTrend: [0, trendMax] },
  init(state) {
    state[2] = NEVER;
    state[3] = NEVER;
    state[4] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'visit' && event.type !== 'view' && event.type !== 'addToCart') return;
    const lastAt = state[4]!;
    const at = event.occurredAt;
    state[4] = Math.max(lastAt, at);
    if (lastAt !== NEVER && at >= lastAt && at - lastAt < visitGapMs) return;
    const countedAt = state[2]!;
    const elapsed = countedAt === NEVER ? 0 : at - countedAt;
    if (elapsed >= 0) {
      state[0] = state[0]! * decay(elapsed, recentHalfLifeDays) + 1;
      state[1] = state[1]! * decay(elapsed, longHalfLifeDays) + 1;
    } else {
      state[0]! += decay(-elapsed, recentHalfLifeDays);
      state[1]! += decay(-elapsed, longHalfLifeDays);
    }
    state[2] = Math.max(countedAt, at);
    if (state[3] === NEVER || at < state[3]!) state[3] = at;
  },
  value(state, now, out, at) {
    if (state[2] === NEVER) {
      out[at] = 0;
      out[at + 1] = 1;
      out[at + 2] = 0;
      return;
    }
    const elapsed = Math.max(0, now - state[2]!);
    const knownMs = Math.max(7 * dayMs, now - state[3]!);
    const recent = perWeek(state[0]! * decay(elapsed, recentHalfLifeDays), knownMs, recentHalfLifeDays);
    const long = perWeek(state[1]! * decay(elapsed, longHalfLifeDays), knownMs, longHalfLifeDays);
    out[at] = recent;
    out[at + 1] = Math.min(trendMax, (recent + priorPerWeek) / (long + priorPerWeek));
    out[at + 2] = daysSince(state[4]!, now);
  },
  unknown: (state) => (state[4] === NEVER ? ['visitTrend', 'daysSinceLastVisit'] : []),
} as const satisfies Feature;

/**
 * Rate behind a decayed count: a steady r a day, watched for T days, has a decayed count of r (1 − 2^(−T/h)) h / ln 2.
 * Without the bracket everybody who is new would seem to visit ever more often.
 */
function perWeek(decayedCount: number, knownMs: number, halfLifeDays: number): number {
  return (7 * Math.LN2 * decayedCount) / (halfLifeDays * (1 - decay(knownMs, halfLifeDays)));
}
