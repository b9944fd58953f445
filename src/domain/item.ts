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
  /** What it is about, for people; recommendations learn from its first words. */
  description: z.string().max(10_000).optional(),
  /** Words that group items across categories, such as `organic`. */
  tags: z.array(z.string().min(1).max(100)).max(50).optional(),
  /** When it came into the range; until it is sold, it counts as new for a while from then on. */
  addedAt: z.iso.datetime({ offset: true }).optional(),
});
export type Item = z.output<typeof Item>;
export type ItemInput = z.input<typeof Item>;
