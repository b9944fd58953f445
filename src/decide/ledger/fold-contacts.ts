/**
 * Somebody who was given an offer as a guest and again as a customer, because nobody knew that it was she, holds one of them:
 * the one that she has redeemed, else the one that she may redeem for longest, so that no promise is cut short. What is told of
 * the others is told of it. Pure.
 */
import type { DecidedOffer } from '../../domain/decision.ts';
import { dayMs } from '../../domain/time.ts';
import {
  type Contact,
  type ContactHistory,
  heldUntil,
  isOpen,
  isStanding,
} from '../../offers/contact-history.ts';
import { toldWithinDays } from '../told-until.ts';

export type FoldedContacts = {
  /** The same list where nothing was held twice. The others count for caps as before, and can no longer be redeemed. */
  contacts: ContactHistory;
  /** The others, whose reservations are to be given back where there are any. */
  folded: readonly Contact[];
};

/** `now` in milliseconds since 1970. */
export function foldContacts(contacts: ContactHistory, now: number): FoldedContacts {
  const kept: Contact[] = [];
  /** The one that takes the place of each. */
  const folded = new Map<Contact, Contact>();
  for (const contact of byPreference(contacts, now)) {
    const other = kept.find((one) => one.offerId === contact.offerId && wereHeldAtOnce(one, contact));
    // What has been redeemed stays redeemed.
    if (other === undefined || contact.state === 'redeemed') kept.push(contact);
    else folded.set(contact, other);
  }
  if (folded.size === 0) return { contacts, folded: [] };
  const keptFor = new Set(folded.values());
  const after = (contact: Contact) => {
    if (folded.has(contact)) return { ...knownAsLongAsTold(contact), redeemableUntil: contact.at };
    return keptFor.has(contact) ? knownAsLongAsTold(contact) : contact;
  };
  return { contacts: contacts.map(after), folded: [...folded.keys()] };
}

/**
 * What could be redeemed still, had nobody answered it: redeemed before open before dismissed, of each the one that ends last, then
 * the first.
 */
function byPreference(contacts: ContactHistory, now: number): Contact[] {
  const rank = (contact: Contact) => (contact.state === 'redeemed' ? 0 : isOpen(contact, now) ? 1 : 2);
  return contacts
    .filter((contact) => contact.redeemableUntil > now && isStanding(contact, now))
    .sort((a, b) => rank(a) - rank(b) || b.redeemableUntil - a.redeemableUntil || a.at - b.at);
}

/** Neither was given because the other was over: what she gets after she has redeemed or dismissed one is another one. */
function wereHeldAtOnce(one: Contact, other: Contact): boolean {
  return one.at < heldUntil(other) && other.at < heldUntil(one);
}

/** Else it lapsed while it may be told of, and nobody knew that the two are one. */
function knownAsLongAsTold(contact: Contact): Contact {
  const until = contact.redeemableUntil + toldWithinDays * dayMs;
  return { ...contact, expiresAt: Math.max(contact.expiresAt, until) };
}

/**
 * Under whose id the budget and the contact of an offer are that a decision made: the decision that made it first, or the one that
 * this was folded into later. A contact that ends before its decision says so was.
 */
export function holderIn(
  contacts: ContactHistory,
  { decisionId }: { decisionId: string },
  { offerId, heldSince, redeemableUntil }: Pick<DecidedOffer, 'offerId' | 'heldSince' | 'redeemableUntil'>,
): string {
  const id = heldSince ?? decisionId;
  if (redeemableUntil === undefined) return id;
  const until = Date.parse(redeemableUntil);
  const ofOffer = contacts.filter((contact) => contact.offerId === offerId);
  const own = ofOffer.find((contact) => contact.decisionId === id);
  if (own === undefined || own.redeemableUntil >= until) return id;
  const others = ofOffer.filter((contact) => contact.redeemableUntil > contact.at);
  // A redemption may be told with a time from before the other was given.
  const kept =
    others.find((contact) => wereHeldAtOnce(contact, { ...own, redeemableUntil: until })) ?? others[0];
  return kept?.decisionId ?? id;
}
