/**
 * What the catalogue says of an event's lines is put into the event before it is in the stream: a replay years later then sees the
 * same event, whatever the catalogue says by then.
 */
import type { EventLine, ParsedEventInput, ShopEvent } from '../../domain/event.ts';
import type { Item } from '../../domain/item.ts';

/** As much of the catalogue as lines are stamped from, by item id. */
export type StampedFrom = { readonly items: ReadonlyMap<string, Item> };

/** Items that a warning names. */
const namedMax = 5;

/**
 * The event with each line's category as the catalogue has it, and in a purchase or return the catalogue's price where the sender names
 * none. What the sender says of a price counts: he knows what was paid.
 */
export function withStampedLines<E extends ParsedEventInput | ShopEvent>(
  event: E,
  catalogue: StampedFrom,
): E {
  if (!('lines' in event)) return event;
  const priced = hasRevenue(event);
  return { ...event, lines: event.lines.map((line) => stamp(line, priced, catalogue)) };
}

function stamp(line: EventLine, priced: boolean, { items }: StampedFrom): EventLine {
  const { category = '', priceMinor } = items.get(line.itemId) ?? {};
  return {
    ...line,
    ...(category !== '' && { category }),
    ...(priced &&
      line.unitPriceMinor === undefined &&
      priceMinor !== undefined && { unitPriceMinor: priceMinor }),
  };
}

/**
 * What is to be said of those of the events that were accepted and have lines without a price, the catalogue's included: they count as
 * sold for nothing. Empty, or one sentence.
 */
export function warningsOfPrices(
  events: readonly ParsedEventInput[],
  results: readonly { status: string }[],
  { items }: StampedFrom,
): string[] {
  let lines = 0;
  const itemIds = new Set<string>();
  events.forEach((event, e) => {
    if (!hasRevenue(event) || results[e]?.status !== 'accepted') return;
    for (const { itemId, unitPriceMinor } of event.lines)
      if (unitPriceMinor === undefined && items.get(itemId)?.priceMinor === undefined) {
        lines++;
        itemIds.add(itemId);
      }
  });
  if (lines === 0) return [];
  const more = itemIds.size - namedMax;
  const names = [...itemIds].slice(0, namedMax).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return [
    `${lines === 1 ? 'One line has' : `${lines} lines have`} no unitPriceMinor, and the catalogue has no price of ${names}: ` +
      `${lines === 1 ? 'it counts' : 'they count'} as 0 in revenue and value. Send unitPriceMinor, or put the items with their priceMinor first.`,
  ];
}

function hasRevenue<E extends ParsedEventInput | ShopEvent>(
  event: E,
): event is Extract<E, { type: 'purchase' | 'return' }> {
  return event.type === 'purchase' || event.type === 'return';
}
