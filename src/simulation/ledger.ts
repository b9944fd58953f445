/** What a customer has brought the shop: margins of what was bought and kept, less what offers took off them. */
import type { OrderLine } from './event-writer.ts';
import type { Journey } from './journey.ts';

export type Ledger = { marginMinor: number };

/** Margin of a line after its discount. */
export function marginOf({ shop }: Pick<Journey, 'shop'>, line: OrderLine): number {
  return line.quantity * shop.catalogue.items[line.item]!.marginMinor - line.discountMinor;
}
