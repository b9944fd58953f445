/** Which purchase redeems which offer: what the service and the replay of its log must see alike. */
import { createHash } from 'node:crypto';
import type { ContactHistory } from '../offers/contact-history.ts';

/** The same order is the same purchase, however it is told; else an event that is sent again is. */
export function purchaseId(orderId: string | undefined, eventId: string | undefined): string {
  return orderId === undefined ? `event:${eventId}` : `order:${orderId}`;
}

/** The last decision that gave the offer before the purchase, one that could still be redeemed then before all others. */
export function lastDecisionWith(offerId: string, history: ContactHistory, at: number): string | undefined {
  const given = history.filter((contact) => contact.offerId === offerId && contact.at <= at);
  return (given.findLast(({ redeemableUntil }) => redeemableUntil > at) ?? given.at(-1))?.decisionId;
}

/** In a budget, of what a second purchase has cost: an id that names neither the decision nor the order. */
export function repeatedId(holder: string, purchase: string): string {
  return `+${createHash('sha256').update(`${holder} ${purchase}`).digest('base64url')}`;
}
