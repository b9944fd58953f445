import { z } from 'zod';

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** ISO 4217 code of the shop's one currency. */
export const Currency = z
  .string()
  .refine((code) => currencies.has(code), 'must be a three-letter ISO 4217 code such as EUR');
export type Currency = z.output<typeof Currency>;

/** The largest sum that anything may cost or be worth, minor units: what is above it is a mistake. */
export const moneyMaxMinor = 1_000_000_000_000;

/** Money in minor units (cents, pence): an integer, never a float of major units. Prices, discounts, costs. */
export const PriceMinor = z.int().min(0).max(moneyMaxMinor);
