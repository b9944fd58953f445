/** What the event stream carries: accepted events, and changes of the catalogue (`at`: milliseconds since 1970). */
import type { ShopEvent } from './event.ts';
import type { ItemId, OfferId } from './ids.ts';
import type { Item } from './item.ts';
import type { Offer } from './offer.ts';

export type CatalogueChange =
  | { kind: 'item'; item: Item; at: number }
  | { kind: 'itemDeleted'; itemId: ItemId; at: number }
  | { kind: 'offer'; offer: Offer; at: number }
  | { kind: 'offerDeleted'; offerId: OfferId; at: number };

export type LogEntry = { kind: 'event'; event: ShopEvent } | CatalogueChange;
