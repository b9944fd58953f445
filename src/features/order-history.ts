import { isSameErrand } from '../algorithms/errand.ts';
import { dayMs } from '../domain/time.ts';
import { daysSince, type Feature, NEVER, startsOrder } from './feature.ts';

/**
 * What the probability models of a customer base look at (`algorithms/customer-base/purchase-summary.ts`): repeat purchases
 * x, days from the first errand to the last t_x, and days since the first T. Orders of one day are one errand. All are 0
 * for somebody who never ordered.
 */
export const orderHistory = {
  name: 'orderHistory',
  slots: ['errands', 'firstOrderAt', 'lastErrandAt', 'lastOrderAt'],
  outputs: ['repeatErrands', 'firstToLastOrderDays', 'daysSinceFirstOrder'],
  init(state) {
    state[1] = NEVER;
    state[2] = NEVER;
    state[3] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    const at = event.occurredAt;
    if (state[3] === NEVER || !isSameErrand(state[3]!, at)) {
      state[0]! += 1;
      state[2] = Math.max(state[2]!, at);
    }
    if (state[1] === NEVER || at < state[1]!) state[1] = at;
    state[3] = Math.max(state[3]!, at);
  },
  value(state, now, out, at) {
    out[at] = Math.max(0, state[0]! - 1);
    out[at + 1] = Math.max(0, state[2]! - state[1]!) / dayMs;
    out[at + 2] = daysSince(state[1]!, now);
  },
} as const satisfies Feature;
