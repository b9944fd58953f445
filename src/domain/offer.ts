import { z } from 'zod';
import { Channel, LoyaltyTier } from './channel.ts';
import { ItemId, OfferId } from './ids.ts';
import { PriceMinor } from './money.ts';

/** What the customer gets. A call costs when it is made; everything else when the customer accepts it. */
export const Benefit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('percentOff'), percent: z.number().gt(0).max(100) }),
  z.strictObject({ kind: z.literal('amountOff'), amountMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('freeDelivery'), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('loyaltyPoints'), points: z.int().positive(), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('serviceContact'), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('content') }),
]);
export type Benefit = z.output<typeof Benefit>;
export type BenefitKind = Benefit['kind'];

/** A bound on one feature of the customer's vector, by the feature's name; both ends are included. */
export const FeatureRule = z
  .strictObject({
    feature: z.string().min(1).max(100),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .refine((rule) => rule.min !== undefined || rule.max !== undefined, 'needs min, max or both')
  .refine((rule) => rule.min === undefined || rule.max === undefined || rule.min <= rule.max, {
    message: 'must not be below min',
    path: ['max'],
  });
export type FeatureRule = z.output<typeof FeatureRule>;

/** Who may have it. Every rule that is given must hold. */
export const Eligibility = z.strictObject({
  loyaltyTiers: z.array(LoyaltyTier).min(1).max(10).optional(),
  segments: z.array(z.string().max(100)).min(1).max(1000).optional(),
  features: z.array(FeatureRule).max(20).default([]),
});
export type Eligibility = z.output<typeof Eligibility>;

const fields = {
  offerId: OfferId,
  name: z.string().min(1).max(200),
  benefit: Benefit,
  /** Items or categories that it is about; none = the whole shop. */
  itemIds: z.array(ItemId).max(1000).default([]),
  categories: z.array(z.string().max(200)).max(100).default([]),
  channels: z.array(Channel).min(1).max(10),
  /** Where it may stand (`hero`, `email-top` …); none = anywhere. */
  placements: z.array(z.string().min(1).max(100)).max(50).default([]),
  /** First instant at which it may be made. */
  validFrom: z.iso.datetime({ offset: true }).optional(),
  /** First instant at which it may no longer be made. */
  validTo: z.iso.datetime({ offset: true }).optional(),
  eligibility: Eligibility.prefault({}),
  /** Meant to keep a customer who may leave: its value grows with the churn risk. */
  retention: z.boolean().default(false),
  /** Business lever: multiplies the offer's value when offers compete. */
  priorityLever: z.number().positive().max(100).default(1),
  /** Stands in when nothing is worth making or the customer cannot be read. Content for everybody, and never competes. */
  fallback: z.boolean().default(false),
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
    when: ({ value }) => isOfferLike(value),
  }),
  z.refine<Rules>((offer) => offer.fallback !== true || offer.benefit?.kind === 'content', {
    error:
      'must be of kind content: a fallback is answered unasked and to everybody, so it must cost nothing',
    path: ['benefit'],
    when: ({ value }) => isOfferLike(value),
  }),
  z.refine<Rules>((offer) => offer.fallback !== true || !hasEligibilityRules(offer.eligibility), {
    error: 'must be empty: a fallback is also answered when the customer cannot be read',
    path: ['eligibility'],
    when: ({ value }) => isOfferLike(value),
  }),
] as const;

/** What the rules read; any of it may be missing or of the wrong kind when they are tried. */
type Rules = {
  validFrom?: string | undefined;
  validTo?: string | undefined;
  fallback?: boolean;
  benefit?: { kind?: string };
  eligibility?: Partial<Eligibility>;
};

/** An offer that the service may decide to make. */
export const Offer = z.strictObject(fields).check(...rules);
export type Offer = z.output<typeof Offer>;
export type OfferInput = z.input<typeof Offer>;

/** The same where the id is said elsewhere, as in the path of a request. */
export const OfferBody = z.strictObject({ ...fields, offerId: OfferId.optional() }).check(...rules);

function isOfferLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasEligibilityRules(rules: Partial<Eligibility> | undefined): boolean {
  return (
    rules?.loyaltyTiers !== undefined || rules?.segments !== undefined || (rules?.features?.length ?? 0) > 0
  );
}

/** What became of an offer that was made. */
export const OFFER_OUTCOMES = ['viewed', 'clicked', 'redeemed', 'dismissed'] as const;
export const OfferOutcome = z.enum(OFFER_OUTCOMES);
export type OfferOutcome = z.output<typeof OfferOutcome>;
