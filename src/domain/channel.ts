import { z } from 'zod';

/** Where the customer met the shop. The order is part of the record's layout: append, never reorder. */
export const CHANNELS = ['web', 'store', 'app', 'email', 'phone'] as const;
export const Channel = z.enum(CHANNELS);
export type Channel = z.output<typeof Channel>;

/** Loyalty tiers, lowest first. The order is part of the record's layout: append, never reorder. */
export const LOYALTY_TIERS = ['none', 'bronze', 'silver', 'gold', 'platinum'] as const;
export const LoyaltyTier = z.enum(LOYALTY_TIERS);
export type LoyaltyTier = z.output<typeof LoyaltyTier>;
