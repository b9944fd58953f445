/**
 * What the event stream carries: accepted events, changes of the catalogue (`at`: milliseconds since 1970), decisions, log-ins.
 */
import type { Decision } from './decision.ts';
import type { ShopEvent } from './event.ts';
import type { CustomerId, ItemId, OfferId, SessionId } from './ids.ts';
import type { Item } from './item.ts';
import type { Offer } from './offer.ts';

export type CatalogueChange =
  | { kind: 'item'; item: Item; at: number }
  | { kind: 'itemDeleted'; itemId: ItemId; at: number }
  | { kind: 'offer'; offer: Offer; at: number }
  | { kind: 'offerDeleted'; offerId: OfferId; at: number };

/** A decision that was answered. It may be logged twice; `decisionId` tells. */
export type DecisionEntry = { kind: 'decision'; decision: Decision & { decisionId: string } };

/** A guest has logged in: what the session told, and tells later, is the customer's. */
export type MergeEntry = { kind: 'merge'; sessionId: SessionId; customerId: CustomerId; at: number };

export type LogEntry = { kind: 'event'; event: ShopEvent } | CatalogueChange | DecisionEntry | MergeEntry;
