import { z } from 'zod';
import { Channel, LoyaltyTier } from './channel.ts';
import { Consent } from './customer.ts';
import { CustomerId, ItemId, OfferId, SessionId } from './ids.ts';
import { Benefit, OfferVersion } from './offer.ts';
import { RFM_SEGMENTS, RISK_BANDS, VALUE_TIERS } from './segments.ts';
import { dayMs } from './time.ts';

/**
 * Why an offer was not made, in the order in which the rules are tried: the first that fails is named. Those from
 * `value-not-positive` on are of offers that passed every rule. Stable: e-mail tools and dashboards count by them.
 */
export const EXCLUSION_REASONS = [
  // The offer alone.
  'not-yet-valid',
  'no-longer-valid',
  'channel-not-allowed',
  'placement-not-allowed',
  'out-of-stock',
  'basket-too-small',
  'switched-off',
  // Who is kept out so that effects can be told.
  'control-group',
  'offer-holdout',
  // What protects the customer.
  'no-consent',
  'quiet-hours',
  'complaint-open',
  'low-rating',
  'suppressed',
  'minimum-gap',
  'contact-cap',
  'offer-cap',
  'discount-open',
  // What is nothing to the customer.
  'tier-held',
  // Here stand the offer's own rules: see `RuleReason`.
  // What it is worth, and what is left of its budget.
  'value-not-positive',
  'outranked',
  // Exploration drew another, or nothing, in its stead.
  'not-drawn',
  'budget-exhausted',
  'budget-paced',
] as const;

/**
 * Of the rule that failed: the code that the shop gave it, else the feature, attribute or score that it asks for; `unknown`: a
 * feature that was never observed of this customer, or a score that no served model could tell of her.
 */
export const RuleReason = z.templateLiteral([
  z.enum(['rule', 'feature', 'attribute', 'score', 'unknown']),
  ':',
  z.string().min(1),
]);
export type RuleReason = z.output<typeof RuleReason>;

export const ExclusionReason = z.union([z.enum(EXCLUSION_REASONS), RuleReason]);
export type ExclusionReason = z.output<typeof ExclusionReason>;

/** Why a decision that stood gave way to another before its window ended, in the order in which it is asked. */
export const WITHDRAWAL_REASONS = [
  'deleted',
  'not-yet-valid',
  'no-longer-valid',
  'channel-not-allowed',
  'placement-not-allowed',
  'no-consent',
  'complaint-open',
  'low-rating',
  'suppressed',
  'redeemed',
  // Of a version of the offer that has been saved since; its own rules (see `RuleReason`) stand after it.
  'offer-holdout',
] as const satisfies readonly (ExclusionReason | 'deleted' | 'redeemed')[];
export const WithdrawalReason = z.union([z.enum(WITHDRAWAL_REASONS), RuleReason]);
export type WithdrawalReason = z.output<typeof WithdrawalReason>;

/** What spoke for an offer that was made. */
const OFFER_REASONS = [
  /** Redeemed more often than offers of its kind usually are. */
  'often-redeemed',
  /** About something that this customer buys or likes more than others do. */
  'fits-taste',
  /** Keeps a customer who may leave. */
  'may-leave',
  /** Persuades: the customer is far more likely to buy with it than without. */
  'persuades',
  /** Tried, to learn what it does. */
  'explored',
  /** The business has raised it. */
  'lever',
  /** The customer's variant of an experiment ranks by acceptance. */
  'by-response',
  /** Worth more than saying nothing. */
  'worth-more-than-nothing',
  /** Nothing was worth making, or the customer could not be read. */
  'fallback',
] as const;
export const OfferReason = z.enum(OFFER_REASONS);
export type OfferReason = z.output<typeof OfferReason>;

/** Every term of an offer's value, in the order of the formula (docs/offers.md). Money in minor units. */
export const ValueTerms = z.object({
  /** Where the effects come from: the learned offer model, or assumptions by kind of benefit. */
  source: z.enum(['model', 'prior']),
  /** P(redeemed | made). */
  acceptPropensity: z.number().min(0).max(1),
  /** Orders within the window if it is made less those if not, expected. */
  uplift: z.number().min(-1).max(1),
  /** Both are times this share of the customer's orders, which reach the offer's `minBasketMinor`; absent: it is not above her usual order. */
  minBasketReach: z.number().min(0).max(1).optional(),
  /** Value and margin of the order that it is about. */
  orderMinor: z.number().min(0),
  marginRate: z.number().min(0).max(1),
  marginMinor: z.number(),
  /** null: no churn model, or a customer of whom it knows nothing. */
  churnRisk: z.number().min(0).max(1).nullable(),
  /** P(leaving | not made) − P(leaving | made). */
  churnReduction: z.number().min(-1).max(1),
  /** Of a customer who stays: the customer value model's, else that of a few usual orders. null: nothing depends on it. */
  remainingLifetimeValueMinor: z.number().nullable(),
  costWhenAcceptedMinor: z.number().min(0),
  costWhenMadeMinor: z.number().min(0),
  contactCostMinor: z.number().min(0),
  priorityLever: z.number().min(0),
  /** Standard deviation of the value, as far as the effects are uncertain. */
  standardDeviationMinor: z.number().min(0),
  /**
   * Logged decisions speak against the offer beyond doubt: it is taken to be worth a deviation less than nothing at most, and
   * is made to explore alone.
   */
  withheld: z.literal(true).optional(),
  /** Of all customers: times it was made and redeemed, of those that nobody can redeem any more. */
  made: z.int().min(0),
  redeemed: z.int().min(0),
  /** How much more (> 1) or less (< 1) this customer likes what it is about; multiplies the prior's odds. */
  affinityLift: z.number().positive(),
});
export type ValueTerms = z.output<typeof ValueTerms>;

const probability = z.number().min(0).max(1);

/** Of an offer against saying nothing, which is worth 0; the terms beside it name their unit (`…Minor`). */
export const ExpectedValue = z.number().meta({
  description:
    'Minor units of `currency`, with decimals: an expectation. `expectedValueMinor` in lists as CSV',
});

export const DecidedOffer = z.object({
  offerId: OfferId,
  offerVersion: OfferVersion,
  name: z.string(),
  benefit: Benefit,
  expectedValue: ExpectedValue,
  acceptPropensity: probability,
  /** Change of the expected number of orders within the offer's window. */
  uplift: z.number().min(-1).max(1),
  reasons: z.array(OfferReason),
  content: z.record(z.string(), z.string()),
  /** Until then it may be redeemed; absent for what there is nothing to redeem of. */
  redeemableUntil: z.iso.datetime().optional(),
  /** The decision that made it first, where the customer has had it since and may still redeem it: it is the same one. */
  heldSince: z.string().optional(),
  /** With `explain`. */
  terms: ValueTerms.optional(),
});
export type DecidedOffer = z.output<typeof DecidedOffer>;

/** What one place is to show; no offers = say nothing there. */
export const PlacementDecision = z.object({
  placement: z.string(),
  /** Best first. */
  offers: z.array(DecidedOffer),
  /** true: nothing was worth making here and the fallback offer stands in. */
  fallback: z.boolean(),
  /** Probability with which the first offer (or nothing) was chosen here, given those chosen for the places before it. */
  loggingPropensity: probability.optional(),
});
export type PlacementDecision = z.output<typeof PlacementDecision>;

export const ExcludedOffer = z.object({
  offerId: OfferId,
  offerVersion: OfferVersion,
  reasonCode: ExclusionReason,
  /** With `explain`, of offers that passed every rule. */
  expectedValue: ExpectedValue.optional(),
  /** With `explain`, of those; of a decision that was logged, of the best of them alone. */
  terms: ValueTerms.optional(),
});
export type ExcludedOffer = z.output<typeof ExcludedOffer>;

/** An experiment that the customer takes part in. */
export const ExperimentAssignment = z.object({ name: z.string(), variant: z.string() });
export type ExperimentAssignment = z.output<typeof ExperimentAssignment>;

/** null: without such a limit. */
const BudgetLeft = z.object({ amountMinor: z.number().nullable(), count: z.number().nullable() });

/** What an offer's budget had left when it kept the offer out, as far as the process that decided knew. */
export const BudgetLevel = z.object({
  offerId: OfferId,
  /** When it was read. */
  at: z.iso.datetime(),
  period: z.string(),
  /** In the period, and what of it could be reserved by then. */
  remains: BudgetLeft,
  availableNow: BudgetLeft,
  /** It could still bear the offer when it was read, and the ledger has refused it since. */
  refusedSince: z.literal(true).optional(),
});
export type BudgetLevel = z.output<typeof BudgetLevel>;

/** What the contact policy saw of the customer when it was asked. */
export const ContactInputs = z.object({
  /** The customer's own, else the policy's, and what a clock there showed. */
  timeZone: z.string(),
  localTime: z.string(),
  /** Within the quiet hours of the channel. */
  quiet: z.boolean(),
  complaintOpen: z.boolean(),
  /** The last rating below the policy's bound; null: none is known. */
  lowRatedAt: z.iso.datetime().nullable(),
  /** What was dismissed and redeemed of late, in the order of time. */
  answers: z.array(
    z.object({ offerId: OfferId, outcome: z.enum(['dismissed', 'redeemed']), at: z.iso.datetime() }),
  ),
  /** Where there is a minimum gap on the channel: the last contact that it counts from, other than this one. */
  lastContactAt: z.iso.datetime().nullable(),
  /** The caps that bear on the channel, and how many contacts other than this one each of them counted. */
  caps: z.array(
    z.object({ channels: z.array(Channel), times: z.int(), days: z.int(), counted: z.int().min(0) }),
  ),
  /** Which of the two another contact would break now; null: neither. */
  limit: z.enum(['minimum-gap', 'contact-cap']).nullable().default(null),
  /** Offers that were made of late: how often, when last, and whether one may still be redeemed. */
  offers: z.array(z.object({ offerId: OfferId, made: z.int(), lastAt: z.iso.datetime(), open: z.boolean() })),
});
export type ContactInputs = z.output<typeof ContactInputs>;

/** What was known of the customer. */
export const DecisionInputs = z.object({
  /** All of them, by name: what rules, and the models of churn and of offers, read; null: not known. */
  features: z.record(z.string(), z.number().nullable()),
  /** What rules may ask of the CRM's attributes. */
  tier: LoyaltyTier,
  segment: z.string().optional(),
  consent: Consent,
  /** null: not known; absent: nothing depended on it, and it was not worked out. */
  churnRisk: z.number().nullable().optional(),
  /** What the models make of the customer; absent: no rule asked. */
  segments: z
    .object({
      rfmSegment: z.enum(RFM_SEGMENTS).optional(),
      valueTier: z.enum(VALUE_TIERS).optional(),
      riskBand: z.enum(RISK_BANDS).optional(),
    })
    .optional(),
  /** What the customer value model was asked with, and what it said of a customer who stays; absent: nothing depended on it. */
  value: z
    .object({
      errands: z.number(),
      recencyDays: z.number(),
      ageDays: z.number(),
      averageMarginMinor: z.number(),
      remainingLifetimeValueMinor: z.number(),
    })
    .optional(),
  /** The categories that she buys most of, by their share, and the weight of the evidence; absent: no offer asked for it. */
  interests: z
    .object({
      evidence: z.number(),
      categories: z.array(z.object({ category: z.string(), share: z.number() })),
    })
    .optional(),
  /** Absent in decisions of earlier builds. */
  contacts: ContactInputs.optional(),
  /** Of the offers that are excluded for their budget; absent: there are none. */
  budgets: z.array(BudgetLevel).optional(),
  /** On the page or in the basket, and the value of the basket. */
  itemIds: z.array(ItemId).optional(),
  basketMinor: z.number().optional(),
});
export type DecisionInputs = z.output<typeof DecisionInputs>;

/** How long a decision stands for who asks again: a day, or less where an offer ends sooner. */
export const standingMs = dayMs;

/** A decision, as it is answered and logged. */
export const Decision = z.object({
  /** To report outcomes to; null = not logged (a dry run, or degraded). */
  decisionId: z.string().nullable(),
  customerId: CustomerId.optional(),
  /** Of a guest. */
  sessionId: SessionId.optional(),
  channel: Channel,
  campaign: z.string().optional(),
  /** Of every sum of money in it. */
  currency: z.string(),
  decidedAt: z.iso.datetime(),
  /** Until then, asking again (GET) answers the same. */
  standsUntil: z.iso.datetime().optional(),
  /** The decision that stood before it, the offers of it that were withdrawn, and why the first of them was. */
  replaces: z
    .object({ decisionId: z.string(), offerIds: z.array(OfferId), reasonCode: WithdrawalReason })
    .optional(),
  placements: z.array(PlacementDecision),
  /** Every other offer of the shop, once, by offer id; fallback offers do not compete and are not listed. */
  excluded: z.array(ExcludedOffer),
  /** true: every place that has an offer has a fallback. */
  fallback: z.boolean(),
  /** The customer is in the control group: no offer is made, and a fallback stands in only where the policy lets it. */
  controlGroup: z.literal(true).optional(),
  /** The first of the running experiments on offers that the customer takes part in. */
  experiment: ExperimentAssignment.nullable(),
  /** Those after it; absent where there is none. */
  furtherExperiments: z.array(ExperimentAssignment).optional(),
  modelVersions: z.record(z.string(), z.string()),
  /** Of the decision policy: contact rules, costs, exploration, experiments. */
  policyVersion: z.string(),
  /** Logged with the decision, answered with `explain`. */
  inputs: DecisionInputs.optional(),
  /** Who made it died before it was logged: `inputs` and `excluded` are not known. Absent in those of earlier builds. */
  reasonsLost: z.literal(true).optional(),
  /** true: Redis was away or full, so that nothing could be logged and only fallback offers are answered. */
  degraded: z.boolean(),
});
export type Decision = z.output<typeof Decision>;
