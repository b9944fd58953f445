/** How often one customer may have one offer, and how many discounts at once. */
import type { Channel } from '../domain/channel.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import { DISCOUNTS, type Offer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import { type Contact, countOffer, isOpen, type OfferCap } from './contact-history.ts';
import type { CustomerFacts } from './customer-facts.ts';

type Past = Pick<CustomerFacts, 'contacts' | 'offerAnswers'>;

/** Has the customer had the offer as often as one of its caps allows? On a page, what she has may be shown again; each message is another. */
export function isOfferCapped(
  { offerId, caps }: Pick<Offer, 'offerId' | 'caps'>,
  past: Past,
  { channel, now }: { channel: Channel; now: number },
): boolean {
  return caps.some((cap) => timesHad(offerId, cap, past, { channel, now }) >= cap.times);
}

/**
 * By the ledger of contacts; of redemptions also by the record, which has those that nobody told the ledger of, together
 * with the offers that are out and may yet be redeemed.
 */
function timesHad(
  offerId: Offer['offerId'],
  cap: OfferCap,
  { contacts, offerAnswers }: Past,
  { channel, now }: { channel: Channel; now: number },
): number {
  const counted = countOffer(contacts, offerId, cap, now);
  const out = contacts.filter(
    (contact) => contact.offerId === offerId && isUnanswered(contact, offerAnswers, now),
  );
  // One that she has is not another one when it is made again.
  if (cap.of === 'made') {
    const isOwn = out.some(({ at }) => at > now - cap.days * dayMs) && !CONTACT_CHANNELS.has(channel);
    return counted - (isOwn ? 1 : 0);
  }
  const redeemed = offerAnswers.filter(
    (answer) =>
      answer.offerId === offerId && answer.outcome === 'redeemed' && answer.at > now - cap.days * dayMs,
  );
  return Math.max(counted, redeemed.length + out.length) - Math.min(1, out.length);
}

/** The contact by which the customer has the offer and may still redeem it. */
export function heldContact(
  { contacts, offerAnswers }: Past,
  offerId: string,
  now: number,
): Contact | undefined {
  // Of most customers, for every offer.
  if (contacts.length === 0) return undefined;
  return contacts.find((contact) => contact.offerId === offerId && isUnanswered(contact, offerAnswers, now));
}

/** Offers with a discount that the customer may still redeem. */
export function openDiscounts({ contacts, offerAnswers }: Past, now: number): ReadonlySet<string> {
  const open = contacts.filter((contact) => contact.discount && isUnanswered(contact, offerAnswers, now));
  return new Set(open.map(({ offerId }) => offerId));
}

/** Two discounts that are not the same offer: together in one answer they would be two at once. */
export function areTwoDiscounts(one: Offer, other: Offer): boolean {
  return (
    one.offerId !== other.offerId && DISCOUNTS.has(one.benefit.kind) && DISCOUNTS.has(other.benefit.kind)
  );
}

/** Having a discount again is not having another one: a page may show it until it is redeemed. */
export function hasOtherDiscount({ offerId, benefit }: Offer, open: ReadonlySet<string>): boolean {
  return DISCOUNTS.has(benefit.kind) && (open.size > 1 || (open.size === 1 && !open.has(offerId)));
}

function isUnanswered(contact: Contact, answers: CustomerFacts['offerAnswers'], now: number): boolean {
  return (
    isOpen(contact, now) &&
    !answers.some(({ offerId, at }) => offerId === contact.offerId && at >= contact.at)
  );
}
