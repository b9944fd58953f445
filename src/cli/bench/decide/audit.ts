/**
 * Counts again what was made in the closed loop, by the truth of the simulation and what was heard of customers, apart from the
 * code that decides: a fault of the rules must not hide itself.
 */
import { createHash } from 'node:crypto';
import type { Channel } from '../../../domain/channel.ts';
import type { ContactPolicy } from '../../../domain/decision-policy.ts';
import type { ShopEvent } from '../../../domain/event.ts';
import { DISCOUNTS, isSelling, type Offer } from '../../../domain/offer.ts';
import { dayMs, hourMs } from '../../../domain/time.ts';

/** What a contact may break, each counted once a contact; `budget`: each time beyond it. */
const BREACHES = [
  'consent',
  'channel',
  'complaint',
  'lowRating',
  'discountOpen',
  'gap',
  'quietHours',
  'cap',
  'offerCap',
  'suppressed',
  'holdout',
  'budget',
] as const;
export type Breach = (typeof BREACHES)[number];

/** Of the customer, as the simulation knows it. */
export type Addressed = {
  customer: number;
  /** As offers' holdouts are drawn by. */
  subjectId: string;
  consents: boolean;
  timeZone: string | undefined;
  openComplaints: number;
  /** Until then a discount of the history may be redeemed. */
  discountUntil: number;
};

type Past = {
  contacts: { at: number; offerId: string; discountUntil: number }[];
  redeemed: { at: number; offerId: string }[];
  dismissed: { at: number; offerId: string }[];
  lowRatedAt: number;
};

/** `budgetOf`: times that an offer may be made a week; Infinity = without bound. */
export function createAudit(
  { minGapHours, quietHours, caps, dismissals, lowRating, timeZone }: ContactPolicy,
  channel: Channel,
  budgetOf: (offerId: string) => number,
) {
  const pasts = new Map<number, Past>();
  const weekly = new Map<string, number>();
  const counts = Object.fromEntries(BREACHES.map((breach) => [breach, 0])) as Record<Breach, number>;
  let contacts = 0;

  function pastOf(customer: number): Past {
    const past = pasts.get(customer) ?? { contacts: [], redeemed: [], dismissed: [], lowRatedAt: -Infinity };
    pasts.set(customer, past);
    return past;
  }

  function isQuiet(zone: string, at: number): boolean {
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
    const time = clock.format(at);
    return quietHours.some(
      ({ channels, from, to }) =>
        channels.includes(channel) && (from < to ? from <= time && time < to : from <= time || time < to),
    );
  }

  function isSuppressed({ dismissed }: Past, offerId: string, at: number): boolean {
    const inTime = (one: { at: number }) => at - one.at < dismissals.suppressDays * dayMs;
    if (dismissed.some((one) => one.offerId === offerId && inTime(one))) return true;
    return dismissed.some(
      (last) =>
        inTime(last) &&
        dismissed.filter((one) => one.at <= last.at && last.at - one.at < dismissals.withinDays * dayMs)
          .length >= dismissals.times,
    );
  }

  return {
    get contacts() {
      return contacts;
    },
    /** Whatever happens; in the order of time. */
    heard(customer: number, event: ShopEvent): void {
      const past = pastOf(customer);
      const at = event.occurredAt;
      if (event.type === 'rating' && event.rating < lowRating.below) past.lowRatedAt = at;
      if (event.type !== 'offerOutcome') return;
      if (event.outcome === 'dismissed') past.dismissed.push({ at, offerId: event.offerId });
      if (event.outcome === 'redeemed') past.redeemed.push({ at, offerId: event.offerId });
    },
    /** Called before it is made. */
    made(offer: Offer, to: Addressed, at: number, week: number): void {
      contacts++;
      const past = pastOf(to.customer);
      const { offerId, benefit, redeemWithinDays } = offer;
      const sells = isSelling(offer);
      const isDiscount = DISCOUNTS.has(benefit.kind);
      const times = (list: readonly { at: number }[], days: number) =>
        list.filter((one) => one.at > at - days * dayMs).length;
      const own = past.contacts.filter((one) => one.offerId === offerId);
      const ownRedeemed = past.redeemed.filter((one) => one.offerId === offerId);
      const capped = caps.filter(({ channels }) => channels === undefined || channels.includes(channel));
      const discountUntil = Math.max(to.discountUntil, ...past.contacts.map((one) => one.discountUntil));
      const sent = `${week} ${offerId}`;
      const sentBefore = weekly.get(sent) ?? 0;
      const broken: Record<Breach, boolean> = {
        consent: !to.consents,
        channel: !offer.channels.includes(channel),
        complaint: to.openComplaints > 0 && sells,
        lowRating: at - past.lowRatedAt < lowRating.days * dayMs && sells,
        discountOpen: isDiscount && at < discountUntil,
        gap: past.contacts.some((one) => at - one.at < minGapHours * hourMs),
        quietHours: isQuiet(to.timeZone ?? timeZone, at),
        cap: capped.some((cap) => times(past.contacts, cap.days) >= cap.times),
        offerCap: offer.caps.some(
          (cap) => times(cap.of === 'made' ? own : ownRedeemed, cap.days) >= cap.times,
        ),
        suppressed: isSuppressed(past, offerId, at),
        holdout: isHeldOut(offer, to.subjectId),
        budget: sentBefore + 1 > budgetOf(offerId),
      };
      for (const breach of BREACHES) if (broken[breach]) counts[breach]++;
      weekly.set(sent, sentBefore + 1);
      past.contacts.push({
        at,
        offerId,
        discountUntil: isDiscount ? at + redeemWithinDays * dayMs : Number.NEGATIVE_INFINITY,
      });
    },
    /** Those that there were; none is empty. */
    breaches(): Partial<Record<Breach, number>> {
      return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    },
  };
}

/** As docs/experiments.md says it: the first 8 hex digits of SHA-256 of `offer:OFFER_ID:CUSTOMER_ID`. */
function isHeldOut({ offerId, holdoutShare }: Offer, subjectId: string): boolean {
  const digest = createHash('sha256').update(`offer:${offerId}:${subjectId}`).digest('hex');
  return Number.parseInt(digest.slice(0, 8), 16) < holdoutShare * 2 ** 32;
}
