import { z } from 'zod';
import { Channel } from './channel.ts';
import { CustomerId, OfferId, SessionId } from './ids.ts';
import { Benefit } from './offer.ts';

/**
 * Why an offer was not made, in the order in which the rules are tried: the first that fails is named. The last two are
 * of offers that passed every rule. Stable: e-mail tools and dashboards count by them.
 */
export const EXCLUSION_REASONS = [
  'not-yet-valid',
  'no-longer-valid',
  'channel-not-allowed',
  'placement-not-allowed',
  'out-of-stock',
  'no-consent',
  'complaint-open',
  'tier-not-allowed',
  'segment-not-allowed',
  'feature-rule-failed',
  'value-not-positive',
  'outranked',
] as const;
export const ExclusionReason = z.enum(EXCLUSION_REASONS);
export type ExclusionReason = z.output<typeof ExclusionReason>;

/** What spoke for an offer that was made. */
const OFFER_REASONS = [
  /** Redeemed more often than offers of its kind usually are. */
  'often-redeemed',
  /** About something that this customer buys or likes more than others do. */
  'fits-taste',
  /** Keeps a customer who may leave. */
  'may-leave',
  /** The business has raised it. */
  'lever',
  /** Worth more than saying nothing. */
  'worth-more-than-nothing',
  /** Nothing was worth making, or the customer could not be read. */
  'fallback',
] as const;
export const OfferReason = z.enum(OFFER_REASONS);
export type OfferReason = z.output<typeof OfferReason>;

/** Every term of an offer's priority, in the order of the formula (docs/offers.md). Money in minor units. */
export const PriorityTerms = z.object({
  /** Times it was made and redeemed, in all. */
  made: z.int().min(0),
  redeemed: z.int().min(0),
  /** P(accept) of an average customer. */
  baseAcceptPropensity: z.number().min(0).max(1),
  /** How much more (> 1) or less (< 1) this customer likes what it is about; multiplies the odds. */
  affinityLift: z.number().positive(),
  /** P(accept) of this customer. */
  acceptPropensity: z.number().min(0).max(1),
  /** Value of the order that an acceptance is expected to bring. */
  orderMinor: z.number().min(0),
  marginRate: z.number().min(0).max(1),
  /** null: no churn model, or a customer without a record. */
  churnRisk: z.number().min(0).max(1).nullable(),
  /** What an acceptance brings: margins of this order and of those that a kept customer makes later. */
  gainMinor: z.number(),
  costWhenAcceptedMinor: z.number().min(0),
  costWhenMadeMinor: z.number().min(0),
  priorityLever: z.number().positive(),
});
export type PriorityTerms = z.output<typeof PriorityTerms>;

export const DecidedOffer = z.object({
  offerId: OfferId,
  name: z.string(),
  benefit: Benefit,
  /** Rank value, in minor units; saying nothing is worth 0. */
  priority: z.number(),
  acceptPropensity: z.number().min(0).max(1),
  reasons: z.array(OfferReason),
  content: z.record(z.string(), z.string()),
  /** With `explain`. */
  terms: PriorityTerms.optional(),
});
export type DecidedOffer = z.output<typeof DecidedOffer>;

/** What one place is to show; no offers = say nothing there. */
export const PlacementDecision = z.object({
  placement: z.string(),
  /** Best first. */
  offers: z.array(DecidedOffer),
  /** true: nothing was worth making here and the fallback offer stands in. */
  fallback: z.boolean(),
});
export type PlacementDecision = z.output<typeof PlacementDecision>;

export const ExcludedOffer = z.object({
  offerId: OfferId,
  reasonCode: ExclusionReason,
  /** With `explain`, of offers that passed every rule. */
  priority: z.number().optional(),
  terms: PriorityTerms.optional(),
});
export type ExcludedOffer = z.output<typeof ExcludedOffer>;

/** A decision, as it is answered and logged. */
export const Decision = z.object({
  /** To report outcomes to; null = not logged (a dry run, or degraded). */
  decisionId: z.string().nullable(),
  customerId: CustomerId.optional(),
  /** Of a guest. */
  sessionId: SessionId.optional(),
  channel: Channel,
  campaign: z.string().optional(),
  decidedAt: z.iso.datetime(),
  /** Until then, asking again (GET) answers the same. */
  standsUntil: z.iso.datetime().optional(),
  placements: z.array(PlacementDecision),
  /** Every other offer of the shop, once, by offer id; fallback offers do not compete and are not listed. */
  excluded: z.array(ExcludedOffer),
  modelVersions: z.record(z.string(), z.string()),
  /** true: Redis was away or full, so that nothing could be logged and only fallback offers are answered. */
  degraded: z.boolean(),
});
export type Decision = z.output<typeof Decision>;
