import { z } from 'zod';

/** ISO 4217 code of the shop's one currency. */
export const Currency = z.string().regex(/^[A-Z]{3}$/, 'must be a three-letter ISO 4217 code such as EUR');
export type Currency = z.output<typeof Currency>;

/** Money in minor units (cents, pence): an integer, never a float of major units. */
export const AmountMinor = z.int().min(-1_000_000_000_000).max(1_000_000_000_000);

/** Money that cannot be negative: prices, discounts, costs. */
export const PriceMinor = z.int().min(0).max(1_000_000_000_000);
