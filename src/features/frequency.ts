import { type Feature, startsOrder } from './feature.ts';

/** Number of orders: a basket counts once, however many lines or purchase events it came as. */
export const frequency = {
  name: 'frequency',
  slots: ['orders'],
  outputs: ['purchaseCount'],
  update(state, event, record) {
    if (startsOrder(event, record)) state[0]! += 1;
  },
  value(state, _now, out, at) {
    out[at] = state[0]!;
  },
} as const satisfies Feature;
