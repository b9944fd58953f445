import { z } from 'zod';
import { Channel, LoyaltyTier } from './channel.ts';
import { ItemId, OfferId } from './ids.ts';
import { moneyMaxMinor } from './money.ts';
import { Rule } from './rule.ts';

/**
 * Money, minor units. Not `z.int()`: its fault would keep the rules between fields from being tried, and half of all faults
 * would come with the next request.
 */
const SumMinor = z
  .number()
  .min(0)
  .max(moneyMaxMinor)
  .refine(Number.isInteger, 'must be a whole number of minor units, such as cents: 499 for 4.99')
  .meta({ type: 'integer' });

/** With its zone: a day alone would begin at another time in each. */
const instant = z.iso.datetime({
  offset: true,
  error: 'must be a time with its zone, such as 2026-12-01T00:00:00Z or 2026-12-01T00:00:00+01:00',
});

const percent = z.number().gt(0).max(100);

/**
 * What the customer gets. A call costs when it is made; everything else when the customer accepts it. `maxMinor` and
 * `maxPoints` bound what one acceptance may cost.
 */
export const Benefit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('percentOff'), percent, maxMinor: SumMinor.optional() }),
  z.strictObject({ kind: z.literal('amountOff'), amountMinor: SumMinor }),
  z.strictObject({ kind: z.literal('freeDelivery'), costMinor: SumMinor }),
  /** Off the offer's items where they are bought together. */
  z.strictObject({ kind: z.literal('bundle'), percent, maxMinor: SumMinor.optional() }),
  z.strictObject({ kind: z.literal('gift'), itemId: ItemId.optional(), costMinor: SumMinor }),
  /** Points of the loyalty programme, which cost what they redeem for. */
  z.strictObject({ kind: z.literal('loyaltyPoints'), points: z.int().positive().max(1_000_000_000) }),
  /** `factor` times the points that the order earns. */
  z.strictObject({
    kind: z.literal('pointsMultiplier'),
    factor: z.number().gt(1).max(100),
    maxPoints: z.int().positive().max(1_000_000_000).optional(),
  }),
  /** A higher tier for some days. */
  z.strictObject({
    kind: z.literal('tierTrial'),
    tier: LoyaltyTier.exclude(['none']),
    days: z.int().min(1).max(366),
    costMinor: SumMinor,
  }),
  z.strictObject({ kind: z.literal('earlyAccess'), costMinor: SumMinor.default(0) }),
  z.strictObject({
    kind: z.literal('serviceContact'),
    form: z.enum(['call', 'apology']).default('call'),
    costMinor: SumMinor,
  }),
  z.strictObject({ kind: z.literal('communityInvitation'), costMinor: SumMinor.default(0) }),
  z.strictObject({ kind: z.literal('content') }),
]);
export type Benefit = z.output<typeof Benefit>;
export type BenefitKind = Benefit['kind'];

const BUDGET_PERIODS = ['total', 'day', 'week', 'month'] as const;

/** What an offer may cost and how often it may be redeemed, in each of its periods (UTC; weeks begin on Monday). */
export const Budget = z
  .strictObject({
    amountMinor: SumMinor.optional(),
    /** Redemptions. */
    count: z.int().min(0).max(1_000_000_000).optional(),
    period: z.enum(BUDGET_PERIODS).default('total'),
    /** `even`: at any time no more may be out or spent than the share of the period that has passed. */
    pacing: z.enum(['none', 'even']).default('none'),
  })
  .refine((budget) => budget.amountMinor !== undefined || budget.count !== undefined, {
    error: 'needs amountMinor, count or both',
    when: ({ value }) => isObject(value),
  });
export type Budget = z.output<typeof Budget>;

/** How often one customer may have the offer within a sliding window. */
export const OfferCap = z.strictObject({
  of: z.enum(['made', 'redeemed']).default('made'),
  times: z.int().min(1).max(1000),
  days: z.int().min(1).max(366),
});
export type OfferCap = z.output<typeof OfferCap>;

const fields = {
  offerId: OfferId,
  name: z.string().min(1).max(200),
  benefit: Benefit,
  /** Items or categories that it is about; none = the whole shop. */
  itemIds: z.array(ItemId).max(1000).default([]),
  categories: z.array(z.string().max(200)).max(100).default([]),
  channels: z.array(Channel).min(1).max(10),
  /** Of the order that it is redeemed in. */
  minBasketMinor: SumMinor.optional(),
  /** Where it may stand (`hero`, `email-top` …); none = anywhere. */
  placements: z.array(z.string().min(1).max(100)).max(50).default([]),
  /** First instant at which it may be made. */
  validFrom: instant.optional(),
  /** First instant at which it may no longer be made. */
  validTo: instant.optional(),
  /** Who may have it; absent = everybody. */
  eligibility: Rule.optional(),
  /** Margin over price of what it sells, where that is not what the catalogue says. */
  marginRate: z.number().min(0).max(1).optional(),
  budget: Budget.optional(),
  caps: z.array(OfferCap).max(10).default([]),
  /** How long after it was made it may be redeemed, and its purchases count as its own. */
  redeemWithinDays: z.int().min(1).max(365).default(14),
  /** Share of the customers who never get it, so that its effect can be told. */
  holdoutShare: z.number().min(0).max(0.9).default(0),
  /** Meant to keep a customer who may leave: assumed to lower the churn risk until its effect has been measured. */
  retention: z.boolean().default(false),
  /** Business lever: multiplies the offer's value when offers compete. */
  priorityLever: z.number().positive().max(100).default(1),
  /** Stands in when nothing is worth making or the customer cannot be read. Content for everybody, and never competes. */
  fallback: z.boolean().default(false),
  /** Of content, also a fallback: it sells, and is kept from whom nothing may be sold to now (an open complaint, a low rating). Absent: it does not. */
  sells: z.boolean().optional(),
  /** What the e-mail tool or page shows. */
  content: z
    .record(z.string().max(100), z.string().max(2000))
    .refine((content) => Object.keys(content).length <= 50, 'must not have more than 50 entries')
    .default({}),
};

/** Rules between fields; `when` lets them be tried although single fields are at fault, so that all faults are named at once. */
const rules = [
  // A missing or malformed time parses to NaN, which is never greater.
  z.refine<Rules>((offer) => !(Date.parse(offer.validFrom ?? '') >= Date.parse(offer.validTo ?? '')), {
    error: 'must be later than validFrom',
    path: ['validTo'],
    when: ({ value }) => isObject(value),
  }),
  z.refine<Rules>((offer) => offer.fallback !== true || offer.benefit?.kind === 'content', {
    error:
      'must be of kind content: a fallback is answered unasked and to everybody, so it must cost nothing',
    path: ['benefit'],
    when: ({ value }) => isObject(value),
  }),
  z.refine<Rules>((offer) => offer.sells === undefined || offer.benefit?.kind === 'content', {
    error: 'is said of content alone: of any other offer its benefit tells',
    path: ['sells'],
    when: ({ value }) => isObject(value),
  }),
  fallbackRule('eligibility', (offer) => offer.eligibility === undefined),
  fallbackRule('budget', (offer) => offer.budget === undefined),
  fallbackRule('caps', (offer) => (offer.caps?.length ?? 0) === 0),
  fallbackRule('holdoutShare', (offer) => (offer.holdoutShare ?? 0) === 0),
  z.refine<Rules>((offer) => offer.budget?.amountMinor === undefined || hasBoundedCost(offer.benefit), {
    error: 'must be bounded (maxMinor, maxPoints) for an offer with a budget of money',
    path: ['benefit'],
    when: ({ value }) => isObject(value),
  }),
  z.refine<Rules>((offer) => offer.benefit?.kind !== 'bundle' || (offer.itemIds?.length ?? 0) >= 2, {
    error: 'must name the items, two at least, that a bundle is made of',
    path: ['itemIds'],
    when: ({ value }) => isObject(value),
  }),
  z.refine<Rules>(
    ({ budget, validFrom, validTo }) =>
      budget?.pacing !== 'even' || (budget.period ?? 'total') !== 'total' || Boolean(validFrom && validTo),
    {
      error: 'needs validFrom and validTo, or a period other than total, to be paced',
      path: ['budget', 'pacing'],
      when: ({ value }) => isObject(value),
    },
  ),
] as const;

/** What the rules read; any of it may be missing or of the wrong kind when they are tried. */
type Rules = {
  validFrom?: string | undefined;
  validTo?: string | undefined;
  fallback?: boolean;
  sells?: boolean | undefined;
  benefit?: { kind?: string; maxMinor?: number | undefined; maxPoints?: number | undefined };
  itemIds?: readonly string[];
  eligibility?: unknown;
  budget?: { amountMinor?: number | undefined; period?: string; pacing?: string } | undefined;
  caps?: readonly unknown[];
  holdoutShare?: number;
};

function fallbackRule(field: keyof Rules, isEmpty: (offer: Rules) => boolean) {
  return z.refine<Rules>((offer) => offer.fallback !== true || isEmpty(offer), {
    error:
      'must be left out: a fallback is for everybody, and also answered when the customer cannot be read',
    path: [field],
    when: ({ value }) => isObject(value),
  });
}

/** Is there a largest sum that one acceptance can cost? */
function hasBoundedCost(benefit: Rules['benefit']): boolean {
  if (benefit?.kind === 'percentOff' || benefit?.kind === 'bundle') return benefit.maxMinor !== undefined;
  return benefit?.kind !== 'pointsMultiplier' || benefit.maxPoints !== undefined;
}

/** An offer that the service may decide to make. */
export const Offer = z.strictObject(fields).check(...rules);
export type Offer = z.output<typeof Offer>;
export type OfferInput = z.input<typeof Offer>;

/** Names in an offer that nothing else of the shop knows, told to whoever saves it. */
const OfferWarnings = z.array(z.object({ offerId: OfferId, path: z.string(), message: z.string() }));

/** Names what an offer says: the same content has the same version, wherever and whenever it is saved. */
export const OfferVersion = z.string().regex(/^[0-9a-f]{12}$/);
export type OfferVersion = z.output<typeof OfferVersion>;

/** An offer as it is kept. */
export const KeptOffer = z.strictObject({ ...fields, offerVersion: OfferVersion });

/** The same, as it has just been saved. */
export const SavedOffer = KeptOffer.extend({ warnings: OfferWarnings.optional() });

/**
 * An offer where its id is said elsewhere, as in the path of a request. A version is what the content says, and passed over:
 * what was answered may be changed and sent back.
 */
export const OfferBody = z
  .strictObject({ ...fields, offerId: OfferId.optional(), offerVersion: OfferVersion.optional() })
  .check(...rules);

/** Benefits that take something off the price: a customer has one of them at a time. */
export const DISCOUNTS: ReadonlySet<BenefitKind> = new Set(['percentOff', 'amountOff', 'bundle']);

/** Benefits that do not sell by themselves; of content, the shop may say that it does. */
const NON_SELLING: ReadonlySet<BenefitKind> = new Set(['serviceContact', 'content']);

/** Does it sell, and so is nothing for somebody who has a reason to complain? */
export function isSelling({ benefit, sells }: Pick<Offer, 'benefit' | 'sells'>): boolean {
  return sells ?? !NON_SELLING.has(benefit.kind);
}

/** Cost what they cost, whatever the customer says to them. */
export const PAID_WHEN_MADE: ReadonlySet<BenefitKind> = new Set(['serviceContact']);

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What became of an offer that was made. */
export const OFFER_OUTCOMES = ['viewed', 'clicked', 'redeemed', 'dismissed'] as const;
export const OfferOutcome = z.enum(OFFER_OUTCOMES);
export type OfferOutcome = z.output<typeof OfferOutcome>;

/** An offer that the customer redeemed or dismissed; `at` in milliseconds since 1970. `givenBy`: of a redemption, the decision that gave her the offer. */
export type OfferAnswer = {
  offerId: OfferId;
  outcome: 'redeemed' | 'dismissed';
  at: number;
  givenBy?: string;
};
