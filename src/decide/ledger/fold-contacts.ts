/**
 * Somebody who was given an offer as a guest and again as a customer, because nobody knew that it was she, holds one of them: the first, with
 * its time and its reservation, as if the later decision had known. What is told of the later one is told of the first. Pure.
 */
import type { DecidedOffer } from '../../domain/decision.ts';
import { type Contact, type ContactHistory, isOpen } from '../../offers/contact-history.ts';

export type FoldedContacts = {
  /** The same list where nothing was held twice. The later ones count for caps as before, and can no longer be redeemed. */
  contacts: ContactHistory;
  /** The later ones, whose reservations are to be given back. */
  folded: readonly Contact[];
};

/** `now` in milliseconds since 1970. */
export function foldContacts(contacts: ContactHistory, now: number): FoldedContacts {
  const firsts = new Map<string, Contact>();
  const folded = new Set<Contact>();
  const inOrder = contacts.filter((contact) => isOpen(contact, now)).sort((a, b) => a.at - b.at);
  for (const contact of inOrder) {
    if (firsts.has(contact.offerId)) folded.add(contact);
    else firsts.set(contact.offerId, contact);
  }
  if (folded.size === 0) return { contacts, folded: [] };
  const closed = (contact: Contact) =>
    folded.has(contact) ? { ...contact, redeemableUntil: contact.at } : contact;
  return { contacts: contacts.map(closed), folded: [...folded] };
}

/**
 * Under whose id the budget and the contact of an offer are that a decision made: the decision that made it first, also where the two were
 * folded later. A contact that ends before its decision says so was.
 */
export function holderIn(
  contacts: ContactHistory,
  { decisionId }: { decisionId: string },
  { offerId, heldSince, redeemableUntil }: Pick<DecidedOffer, 'offerId' | 'heldSince' | 'redeemableUntil'>,
): string {
  if (heldSince !== undefined) return heldSince;
  const ofOffer = contacts.filter((contact) => contact.offerId === offerId);
  const own = ofOffer.find((contact) => contact.decisionId === decisionId);
  const isFolded =
    own !== undefined && redeemableUntil !== undefined && own.redeemableUntil < Date.parse(redeemableUntil);
  if (!isFolded) return decisionId;
  const first = ofOffer.find(({ at, redeemableUntil: until }) => at <= own.at && until > own.at);
  return first?.decisionId ?? decisionId;
}
