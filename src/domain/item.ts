import { z } from 'zod';
import { ItemId } from './ids.ts';
import { PriceMinor } from './money.ts';

/** A product of the catalogue. */
export const Item = z.strictObject({
  itemId: ItemId,
  name: z.string().max(500).default(''),
  category: z.string().max(200).default(''),
  brand: z.string().max(200).optional(),
  /** Today's price per unit. */
  priceMinor: PriceMinor.optional(),
  /** Margin per unit sold at that price; where it is unknown, offers assume the shop's default margin rate. */
  marginMinor: PriceMinor.optional(),
  /** false = out of stock: not recommended, not offered. */
  inStock: z.boolean().default(true),
  /** true = no longer sold: never recommended, kept for history. */
  discontinued: z.boolean().default(false),
});
export type Item = z.output<typeof Item>;
export type ItemInput = z.input<typeof Item>;
