import { isSameErrand } from '../algorithms/errand.ts';
import { dayMs } from '../domain/time.ts';
import { daysSince, type Feature, NEVER, share, startsOrder } from './feature.ts';

/** Somebody who came twice in two days is not late on the third. */
const shortestGapDays = 1;
const ratioMax = 100;

/**
 * Days since the last order over the customer's usual gap, (last − first order) / (errands − 1): 1 = due, 2 = a whole gap
 * late; at most 100. Orders of one day are one errand. Somebody with fewer than two errands has no usual gap: the ratio is 1,
 * and `hasUsualGap` is 0.
 */
export const overdue = {
  name: 'overdue',
  slots: ['errands', 'firstOrderAt', 'lastOrderAt'],
  outputs: ['overdueRatio', 'hasUsualGap'],
  ranges: { overdueRatio: [0, ratioMax], hasUsualGap: share },
  init(state) {
    state[1] = NEVER;
    state[2] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    if (state[2] === NEVER || !isSameErrand(state[2]!, event.occurredAt)) state[0]! += 1;
    if (state[1] === NEVER || event.occurredAt < state[1]!) state[1] = event.occurredAt;
    state[2] = Math.max(state[2]!, event.occurredAt);
  },
  value(state, now, out, at) {
    const errands = state[0]!;
    if (errands < 2) {
      out[at] = 1;
      out[at + 1] = 0;
      return;
    }
    const usualGapDays = (state[2]! - state[1]!) / dayMs / (errands - 1);
    out[at] = Math.min(ratioMax, daysSince(state[2]!, now) / Math.max(shortestGapDays, usualGapDays));
    out[at + 1] = 1;
  },
  unknown: (state) => (state[0]! < 2 ? ['overdueRatio'] : []),
} as const satisfies Feature;
