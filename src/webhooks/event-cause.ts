/** Which events are a cause to tell the CRM. A guest's is none: the CRM knows no guests. */
import type { ShopEvent } from '../domain/event.ts';
import type { NoticeCause } from '../domain/webhook.ts';

/** A rating below `ratingBelow`, or a complaint that is opened; undefined: any other event. */
export function causeOf(event: ShopEvent, ratingBelow: number): NoticeCause | undefined {
  if (event.customerId === undefined) return undefined;
  const { eventId, occurredAt: at, channel } = event;
  if (event.type === 'rating' && event.rating < ratingBelow) {
    const { rating, itemId } = event;
    return { kind: 'lowRating', eventId, at, channel, rating, ...(itemId !== undefined && { itemId }) };
  }
  if (event.type === 'contact' && event.complaint === 'opened') {
    const { topic } = event;
    return { kind: 'complaint', eventId, at, channel, ...(topic !== undefined && { topic }) };
  }
  return undefined;
}
