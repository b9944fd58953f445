import { eventLines } from '../domain/event.ts';
import { type Feature, share } from './feature.ts';

/** Discounts over the price before discounts, of everything bought: 0 never on offer, 1 always free. */
export const discountShare = {
  name: 'discountShare',
  slots: ['discountMinor', 'grossMinor'],
  outputs: ['discountShare'],
  ranges: { discountShare: share },
  update(state, event) {
    if (event.type !== 'purchase') return;
    for (const line of eventLines(event)) {
      state[0]! += line.discountMinor ?? 0;
      state[1]! += line.quantity * (line.unitPriceMinor ?? 0);
    }
  },
  value(state, _now, out, at) {
    out[at] = state[1]! > 0 ? Math.min(1, state[0]! / state[1]!) : 0;
  },
} as const satisfies Feature;
