/**
 * What the shop has lately offered a customer: one contact for each offer that was made to her, as `decide/ledger` keeps
 * it. The counts below are the meaning of the caps; a decision by a history that has changed meanwhile is not written, so that
 * a cap also holds when several processes decide at once.
 */
import type { Channel } from '../domain/channel.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import { dayMs } from '../domain/time.ts';

/**
 * reserved: decided, and nobody has told yet that it got to her; it lapses at `expiresAt`.
 * confirmed: it was answered or shown to her. redeemed, dismissed: what she made of it.
 */
export type ContactState = 'reserved' | 'confirmed' | 'redeemed' | 'dismissed';

export type Contact = {
  /**
   * The message, page or call that it was part of. What is shown on one occasion reaches her at once: it is one contact
   * for the caps and the gap, however many offers, places and decisions it took.
   */
  occasionId: string;
  decisionId: string;
  offerId: string;
  channel: Channel;
  /** When it was decided. All times are milliseconds since 1970. */
  at: number;
  /** Takes something off a price. */
  discount: boolean;
  /** First instant at which she can no longer redeem it. */
  redeemableUntil: number;
  state: ContactState;
  /** Since when it is in this state. */
  stateAt: number;
  /** When it lapses, if it is still reserved then. */
  expiresAt: number;
};

/** In the order in which they were written. Without what no cap needs any more, so that it is short. */
export type ContactHistory = readonly Contact[];

/** At most `times` on these channels (none named: on any) within `days`. */
export type ContactCap = { channels?: readonly Channel[] | undefined; times: number; days: number };

/** At most `times` of one offer within `days`. */
export type OfferCap = { of: 'made' | 'redeemed'; times: number; days: number };

/** Whether it counts: what was reserved and never used does not. */
export function isStanding(contact: Contact, now: number): boolean {
  return contact.state !== 'reserved' || contact.expiresAt > now;
}

/** Could she still redeem it? */
export function isOpen(contact: Contact, now: number): boolean {
  return (
    (contact.state === 'reserved' || contact.state === 'confirmed') &&
    isStanding(contact, now) &&
    contact.redeemableUntil > now
  );
}

/** Does the rule speak of this channel? */
function isAbout(rule: { channels?: readonly Channel[] | undefined }, channel: Channel): boolean {
  return rule.channels === undefined || rule.channels.length === 0 || rule.channels.includes(channel);
}

/** Occasions that count for the cap, other than this one. A cap holds where there are fewer than `times`. */
export function countOccasions(
  history: ContactHistory,
  cap: ContactCap,
  now: number,
  thisOccasion?: string,
): number {
  // Of most customers.
  if (history.length === 0) return 0;
  const since = now - cap.days * dayMs;
  const occasions = new Set<string>();
  for (const contact of history)
    if (contact.at > since && isStanding(contact, now) && isAbout(cap, contact.channel))
      occasions.add(contact.occasionId);
  if (thisOccasion !== undefined) occasions.delete(thisOccasion);
  return occasions.size;
}

/**
 * Contacts with the offer that count for the cap. Of `made`, one that a page showed her while she had it was not made again. Of
 * `redeemed`, those that she can still redeem count too: else two that are out at once could both be redeemed where one may be.
 */
export function countOffer(history: ContactHistory, offerId: string, cap: OfferCap, now: number): number {
  const since = now - cap.days * dayMs;
  let count = 0;
  for (const contact of history) {
    if (contact.offerId !== offerId) continue;
    const counts =
      cap.of === 'made'
        ? contact.at > since && isStanding(contact, now) && !isShownAgain(contact, history)
        : isOpen(contact, now) || isRedemption(contact, since);
    if (counts) count++;
  }
  return count;
}

/** What was shown again to who had it gave nothing to redeem (see `decide/ledger/contact-for.ts`): what is told of it is the other's. */
function isRedemption({ state, stateAt, at, redeemableUntil }: Contact, since: number): boolean {
  return state === 'redeemed' && stateAt > since && redeemableUntil > at;
}

/**
 * She came by herself, and there was nothing to redeem by it (see `decide/ledger/contact-for.ts`), for she had the offer by another,
 * which was open then.
 */
function isShownAgain({ offerId, channel, at, redeemableUntil }: Contact, history: ContactHistory): boolean {
  if (redeemableUntil > at || CONTACT_CHANNELS.has(channel)) return false;
  return history.some((other) => other.offerId === offerId && other.at < at && heldUntil(other) > at);
}

/** First instant at which she no longer has it. */
export function heldUntil({ state, stateAt, redeemableUntil }: Contact): number {
  return state === 'redeemed' || state === 'dismissed' ? stateAt : redeemableUntil;
}

/** When she was last contacted on these channels, on another occasion than this one; undefined = never. */
export function lastContactAt(
  history: ContactHistory,
  rule: { channels?: readonly Channel[] | undefined },
  now: number,
  thisOccasion?: string,
): number | undefined {
  let last: number | undefined;
  for (const contact of history)
    if (
      contact.occasionId !== thisOccasion &&
      isStanding(contact, now) &&
      isAbout(rule, contact.channel) &&
      !(contact.at <= (last ?? Number.NEGATIVE_INFINITY))
    )
      last = contact.at;
  return last;
}
