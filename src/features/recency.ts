import { daysSince, type Feature, NEVER, startsOrder } from './feature.ts';

/** Days since the last order; 0 for somebody who never ordered (`purchaseCount` 0 tells the two apart). */
export const recency = {
  name: 'recency',
  slots: ['lastOrderAt'],
  outputs: ['daysSinceLastOrder'],
  init(state) {
    state[0] = NEVER;
  },
  update(state, event, record) {
    if (startsOrder(event, record)) state[0] = Math.max(state[0]!, event.occurredAt);
  },
  value(state, now, out, at) {
    out[at] = daysSince(state[0]!, now);
  },
  unknown: (state) => (state[0] === NEVER ? ['daysSinceLastOrder'] : []),
} as const satisfies Feature;
