import { z } from 'zod';
import { Channel } from './channel.ts';
import { CustomerAttributes } from './customer.ts';
import { CustomerId, EventId, ItemId, OfferId, SessionId } from './ids.ts';
import { Currency, PriceMinor } from './money.ts';
import { OfferOutcome } from './offer.ts';

/**
 * One product within an event. `category` is stamped from the catalogue when the event is accepted, so that
 * a feature sees the same event in a replay years later, whatever the catalogue says by then.
 */
export const EventLine = z.strictObject({
  itemId: ItemId,
  quantity: z.int().min(1).max(1_000_000).default(1),
  /**
   * Price paid per unit, before the discount. Absent in a purchase or return: stamped from the catalogue likewise, and 0 where that
   * has none.
   */
  unitPriceMinor: PriceMinor.optional(),
  /** Discount on the whole line. */
  discountMinor: PriceMinor.optional(),
  category: z.string().max(200).optional(),
});
export type EventLine = z.output<typeof EventLine>;

/** In one purchase. */
export const redeemedMax = 20;

/** An offer that a purchase redeems. */
export const RedeemedOffer = z.strictObject({
  offerId: OfferId,
  /** The decision that made it; absent, the last that made it to this customer. */
  decisionId: z.string().min(1).max(64).optional(),
  /** What it has cost the shop; absent, what its benefit costs on this purchase. */
  costMinor: PriceMinor.optional(),
});

const lines = z.array(EventLine).min(1).max(500);

/** Milliseconds since 1970 from an ISO 8601 text with a zone, or from a number of milliseconds. */
const instantMs = z.int().min(0, 'must not lie before 1970').max(8_640_000_000_000_000);
export const Instant = z.union([
  instantMs,
  z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .pipe(instantMs),
]);

const common = {
  /**
   * Names the event among those of its customer or session. A repeat with the same id counts once: within seven days
   * whatever it says, later (or when the event was imported) if it carries the same `occurredAt`. Made by the service where
   * it is absent: of a purchase or return with an `orderId` the same for the same order and content, else another each time.
   */
  eventId: EventId.optional(),
  customerId: CustomerId.optional(),
  sessionId: SessionId.optional(),
  /** When it happened; now, where it is absent. */
  occurredAt: Instant.optional(),
  channel: Channel.default('web'),
  /** Refused where it is not the shop's own currency. */
  currency: Currency.optional(),
};

export const POINTS_CHANGES = ['earned', 'redeemed', 'expired'] as const;
export const COMMUNITY_ACTIVITIES = ['attendance', 'referral', 'review'] as const;
export const MARKETING_OUTCOMES = ['sent', 'opened', 'clicked', 'unsubscribed'] as const;

/** The kinds of event, each with what it carries. `orderId` groups the lines of one basket. */
export const EventInput = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('purchase'),
      ...common,
      orderId: z.string().min(1).max(128).optional(),
      lines,
      /** Offers that were redeemed in it: each is reported as an outcome too. */
      redeemed: z.array(RedeemedOffer).min(1).max(redeemedMax).optional(),
    }),
    z.strictObject({
      type: z.literal('return'),
      ...common,
      orderId: z.string().min(1).max(128).optional(),
      lines,
    }),
    z.strictObject({ type: z.literal('view'), ...common, lines }),
    z.strictObject({ type: z.literal('addToCart'), ...common, lines }),
    z.strictObject({ type: z.literal('visit'), ...common }),
    /** Satisfaction (CSAT) with the shop, a delivery or an item, 1 (bad) to 5 (good). */
    z.strictObject({
      type: z.literal('rating'),
      ...common,
      rating: z.number().min(1).max(5),
      itemId: ItemId.optional(),
    }),
    /** The customer got in touch. A complaint stays open until an event with `complaint: 'resolved'`. */
    z.strictObject({
      type: z.literal('contact'),
      ...common,
      complaint: z.enum(['opened', 'resolved']).optional(),
      topic: z.string().max(100).optional(),
    }),
    /** A delivery reached the customer (or failed to). */
    z.strictObject({
      type: z.literal('delivery'),
      ...common,
      orderId: z.string().max(128).optional(),
      late: z.boolean(),
    }),
    /** How likely the customer is to recommend the shop (NPS): 0 to 6 detractor, 7 and 8 passive, 9 and 10 promoter. */
    z.strictObject({ type: z.literal('nps'), ...common, score: z.int().min(0).max(10) }),
    /** Points of the loyalty programme came or went. Who has such an event is a member. */
    z.strictObject({
      type: z.literal('loyaltyPoints'),
      ...common,
      change: z.enum(POINTS_CHANGES),
      points: z.int().min(1).max(1_000_000_000),
      orderId: z.string().min(1).max(128).optional(),
    }),
    /** The customer took part in what goes on around the shop: came to an event, brought somebody, wrote a review. */
    z.strictObject({
      type: z.literal('community'),
      ...common,
      activity: z.enum(COMMUNITY_ACTIVITIES),
      /** What was reviewed. */
      itemId: ItemId.optional(),
      /** Name of the event, the forum, the referral scheme. */
      topic: z.string().max(100).optional(),
    }),
    /** A message of marketing, and what the customer did with it. `unsubscribed` withdraws the consent to its channel. */
    z.strictObject({
      type: z.literal('marketingContact'),
      ...common,
      /** How it was sent; here it has no default. */
      channel: Channel,
      outcome: z.enum(MARKETING_OUTCOMES),
      campaign: z.string().min(1).max(200).optional(),
    }),
    /** CRM attributes changed; what is absent stays as it was. */
    z.strictObject({ type: z.literal('customerUpdated'), ...common, attributes: CustomerAttributes }),
    /** What became of an offer that was decided for the customer. */
    z.strictObject({
      type: z.literal('offerOutcome'),
      ...common,
      decisionId: z.string().min(1).max(64),
      offerId: OfferId,
      /** Of an offer that the customer had been given before: the decision that gave it, as the decision says. Told to a decision that is known, it is filled in. */
      heldSince: z.string().min(1).max(64).optional(),
      outcome: OfferOutcome,
      /** Value of the order that it led to, and what a redemption has cost the shop. */
      valueMinor: PriceMinor.optional(),
      costMinor: PriceMinor.optional(),
    }),
  ])
  .refine((event) => event.customerId !== undefined || event.sessionId !== undefined, {
    message: 'an event needs a customerId or a sessionId',
    path: ['customerId'],
  });
export type EventInput = z.input<typeof EventInput>;
export type ParsedEventInput = z.output<typeof EventInput>;

/** An accepted event: id and time (milliseconds since 1970) are settled, the currency has been checked. */
export type ShopEvent = Settled<ParsedEventInput>;

/** Distributes over the union, so that it stays discriminated by `type`. */
type Settled<E> = E extends ParsedEventInput
  ? Omit<E, 'eventId' | 'occurredAt' | 'currency'> & {
      eventId: EventId;
      occurredAt: number;
      /** When it was told, likewise: the lake has it of what tells of offers (`tellsOfOffers`), for a budget goes by that. */
      toldAt?: number;
    }
  : never;

/** May it be an offer's redemption, or another outcome of one? */
export function tellsOfOffers(event: ShopEvent): boolean {
  return event.type === 'offerOutcome' || (event.type === 'purchase' && event.redeemed !== undefined);
}

export type EventType = ParsedEventInput['type'];
export const EVENT_TYPES = [
  'purchase',
  'return',
  'view',
  'addToCart',
  'visit',
  'rating',
  'contact',
  'delivery',
  'nps',
  'loyaltyPoints',
  'community',
  'marketingContact',
  'customerUpdated',
  'offerOutcome',
] as const satisfies readonly EventType[];

/** The products that an event names; none for events without lines. */
export function eventLines(event: ShopEvent): readonly EventLine[] {
  return 'lines' in event ? event.lines : [];
}

/** Value of a purchase or return: Σ quantity × unit price − discount, over its lines. */
export function eventValueMinor(event: ShopEvent): number {
  let value = 0;
  for (const line of eventLines(event))
    value += line.quantity * (line.unitPriceMinor ?? 0) - (line.discountMinor ?? 0);
  return value;
}
