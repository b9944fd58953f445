/** An event as rows of the lake, and back, exactly: one row a line, or one row where there are none. */
import type { Channel } from '../domain/channel.ts';
import { type EventLine, type EventType, eventLines, type ShopEvent } from '../domain/event.ts';

/** Columns of the lake's `events`, in its order. */
export type EventRow = {
  eventId: string;
  line: number;
  type: EventType;
  customerId: string | null;
  sessionId: string | null;
  /** Milliseconds since 1970. */
  occurredAt: number;
  channel: Channel;
  orderId: string | null;
  itemId: string | null;
  category: string | null;
  quantity: number | null;
  unitPriceMinor: number | null;
  discountMinor: number | null;
  detail: string | null;
};

export function eventToRows(event: ShopEvent): EventRow[] {
  const shared = {
    eventId: event.eventId,
    type: event.type,
    customerId: event.customerId ?? null,
    sessionId: event.sessionId ?? null,
    occurredAt: event.occurredAt,
    channel: event.channel,
    orderId: ('orderId' in event ? event.orderId : undefined) ?? null,
    detail: detailOf(event),
  };
  const lines = eventLines(event);
  if (lines.length === 0) {
    const none = {
      itemId: null,
      category: null,
      quantity: null,
      unitPriceMinor: null,
      discountMinor: null,
    };
    return [{ ...shared, line: 0, ...none }];
  }
  return lines.map((line, index) => ({
    ...shared,
    line: index,
    itemId: line.itemId,
    category: line.category ?? null,
    quantity: line.quantity,
    unitPriceMinor: line.unitPriceMinor ?? null,
    discountMinor: line.discountMinor ?? null,
  }));
}

/** The event of its rows, in the order of `line`. Takes rows that `eventToRows` or an importer made. */
export function rowsToEvent(rows: readonly EventRow[]): ShopEvent {
  const row = rows[0]!;
  const event: Record<string, unknown> = {
    type: row.type,
    eventId: row.eventId,
    occurredAt: row.occurredAt,
    channel: row.channel,
  };
  if (row.customerId !== null) event.customerId = row.customerId;
  if (row.sessionId !== null) event.sessionId = row.sessionId;
  if (row.orderId !== null) event.orderId = row.orderId;
  if (row.detail !== null) Object.assign(event, JSON.parse(row.detail));
  if (row.itemId !== null) event.lines = rows.map(lineOf);
  return event as ShopEvent;
}

function lineOf(row: EventRow): EventLine {
  const line: Record<string, unknown> = { itemId: row.itemId, quantity: row.quantity ?? 1 };
  if (row.unitPriceMinor !== null) line.unitPriceMinor = row.unitPriceMinor;
  if (row.discountMinor !== null) line.discountMinor = row.discountMinor;
  if (row.category !== null) line.category = row.category;
  return line as EventLine;
}

/** What only this type of event has. */
function detailOf(event: ShopEvent): string | null {
  switch (event.type) {
    case 'purchase':
      return event.redeemed === undefined
        ? null
        : JSON.stringify({ redeemed: event.redeemed, toldAt: event.toldAt });
    case 'rating':
      return JSON.stringify({ rating: event.rating, itemId: event.itemId });
    case 'contact':
      return JSON.stringify({ complaint: event.complaint, topic: event.topic });
    case 'delivery':
      return JSON.stringify({ late: event.late });
    case 'nps':
      return JSON.stringify({ score: event.score });
    case 'loyaltyPoints':
      return JSON.stringify({ change: event.change, points: event.points });
    case 'community':
      return JSON.stringify({ activity: event.activity, itemId: event.itemId, topic: event.topic });
    case 'marketingContact':
      return JSON.stringify({ outcome: event.outcome, campaign: event.campaign });
    case 'customerUpdated':
      return JSON.stringify({ attributes: event.attributes });
    case 'offerOutcome':
      return JSON.stringify({
        decisionId: event.decisionId,
        offerId: event.offerId,
        heldSince: event.heldSince,
        outcome: event.outcome,
        valueMinor: event.valueMinor,
        costMinor: event.costMinor,
        toldAt: event.toldAt,
      });
    default:
      return null;
  }
}
