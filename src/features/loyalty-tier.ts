import { LOYALTY_TIERS } from '../domain/channel.ts';
import type { Feature } from './feature.ts';

/** Rank of the loyalty tier: 0 none (or unknown), 1 bronze … 4 platinum. */
export const loyaltyTier = {
  name: 'loyaltyTier',
  slots: [],
  outputs: ['loyaltyTier'],
  ranges: { loyaltyTier: [0, LOYALTY_TIERS.length - 1] },
  update() {
    // The tier is an attribute of the record.
  },
  value(_state, _now, out, at, record) {
    out[at] = LOYALTY_TIERS.indexOf(record.attributes.loyaltyTier ?? 'none');
  },
} as const satisfies Feature;
