import type { Feature } from './feature.ts';

/** Offers that the customer redeemed, and dismissed. */
export const offerResponses = {
  name: 'offerResponses',
  slots: ['redeemed', 'dismissed'],
  outputs: ['offersRedeemed', 'offersDismissed'],
  update(state, event) {
    if (event.type !== 'offerOutcome') return;
    if (event.outcome === 'redeemed') state[0]! += 1;
    if (event.outcome === 'dismissed') state[1]! += 1;
  },
  value(state, _now, out, at) {
    out[at] = state[0]!;
    out[at + 1] = state[1]!;
  },
} as const satisfies Feature;
