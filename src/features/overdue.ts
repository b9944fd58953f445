import { dayMs, daysSince, type Feature, NEVER, startsOrder } from './feature.ts';

/** Same-day orders would make every day of silence look like an age. */
const shortestGapDays = 1;
const ratioMax = 100;

/**
 * Days since the last order over the customer's usual gap, (last − first order) / (orders − 1): 1 = due, 2 = a whole gap
 * late; at most 100. Somebody with fewer than two orders has no usual gap: the ratio is 1, and `hasUsualGap` is 0.
 */
export const overdue = {
  name: 'overdue',
  slots: ['orders', 'firstOrderAt', 'lastOrderAt'],
  outputs: ['overdueRatio', 'hasUsualGap'],
  init(state) {
    state[1] = NEVER;
    state[2] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    state[0]! += 1;
    if (state[1] === NEVER || event.occurredAt < state[1]!) state[1] = event.occurredAt;
    state[2] = Math.max(state[2]!, event.occurredAt);
  },
  value(state, now, out, at) {
    const orders = state[0]!;
    if (orders < 2) {
      out[at] = 1;
      out[at + 1] = 0;
      return;
    }
    const usualGapDays = (state[2]! - state[1]!) / dayMs / (orders - 1);
    out[at] = Math.min(ratioMax, daysSince(state[2]!, now) / Math.max(shortestGapDays, usualGapDays));
    out[at + 1] = 1;
  },
  unknown: (state) => (state[0]! < 2 ? ['overdueRatio'] : []),
} as const satisfies Feature;
