import { z } from 'zod';
import { Channel, LoyaltyTier } from './channel.ts';
import { ItemId, OfferId } from './ids.ts';
import { PriceMinor } from './money.ts';

/** What the customer gets. */
export const Benefit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('percentOff'), percent: z.number().gt(0).max(100) }),
  z.strictObject({ kind: z.literal('amountOff'), amountMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('freeDelivery'), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('loyaltyPoints'), points: z.int().positive(), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('serviceContact'), costMinor: PriceMinor }),
  z.strictObject({ kind: z.literal('content') }),
]);
export type Benefit = z.output<typeof Benefit>;

/** A bound on one feature of the customer's vector, by the feature's name. */
export const FeatureRule = z
  .strictObject({
    feature: z.string().min(1).max(100),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .refine((rule) => rule.min !== undefined || rule.max !== undefined, 'needs min, max or both');

/** Who may have it. Every rule that is given must hold. */
export const Eligibility = z.strictObject({
  loyaltyTiers: z.array(LoyaltyTier).min(1).optional(),
  segments: z.array(z.string().max(100)).min(1).optional(),
  features: z.array(FeatureRule).max(20).default([]),
});

/** An offer that the service may decide to make. */
export const Offer = z.strictObject({
  offerId: OfferId,
  name: z.string().min(1).max(200),
  benefit: Benefit,
  /** Items or categories that it is about; none = the whole shop. */
  itemIds: z.array(ItemId).max(1000).default([]),
  categories: z.array(z.string().max(200)).max(100).default([]),
  channels: z.array(Channel).min(1),
  /** Where it may stand (`hero`, `email-top` …); none = anywhere. */
  placements: z.array(z.string().max(100)).max(50).default([]),
  validFrom: z.iso.datetime({ offset: true }).optional(),
  validTo: z.iso.datetime({ offset: true }).optional(),
  eligibility: Eligibility.prefault({}),
  /** Business lever: multiplies the offer's value when offers compete. */
  priorityLever: z.number().positive().max(100).default(1),
  /** Answered when nothing else is eligible; costs nothing and needs no consent rule of its own. */
  fallback: z.boolean().default(false),
  /** What the e-mail tool or page shows. */
  content: z.record(z.string(), z.string().max(2000)).default({}),
});
export type Offer = z.output<typeof Offer>;
export type OfferInput = z.input<typeof Offer>;
