/**
 * Who may have an offer. The rules are tried in the order of `EXCLUSION_REASONS`, and the first that fails is the
 * reason: what concerns the offer alone first, then what protects the customer, then whom the business wants to reach.
 */
import type { Channel } from '../domain/channel.ts';
import type { ExclusionReason } from '../domain/decision.ts';
import type { BenefitKind, Offer } from '../domain/offer.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';

/**
 * Channels on which the shop goes to the customer: an offer there needs the customer's consent. On the others (web,
 * store, app) the customer has come to the shop.
 */
export const CONTACT_CHANNELS: ReadonlySet<string> = new Set(['email', 'phone'] satisfies Channel[]);

/** Benefits that may be offered while a complaint is open: they do not sell. */
const NON_SELLING: ReadonlySet<BenefitKind> = new Set(['serviceContact', 'content']);

type Rule = (facts: CustomerFacts, situation: Situation) => ExclusionReason | undefined;
type OfferRule = (situation: Situation) => ExclusionReason | undefined;

/** An offer with its rules as closures, made once for each version of the offer. */
export type CompiledOffer = {
  offer: Offer;
  /** Why this customer may not have it now, or undefined. */
  exclusion: Rule;
  /** The same by the offer's own rules alone (time, channel, placement, stock): all that a fallback must pass. */
  exclusionOfOffer: OfferRule;
  allowsPlacement: (placement: string) => boolean;
};

/** `featureNames` is the layout of `CustomerFacts.features`; a rule on a name that is not in it never holds. */
export function compileOffer(offer: Offer, featureNames: readonly string[]): CompiledOffer {
  const places = new Set(offer.placements);
  const allowsPlacement = (placement: string) => places.size === 0 || places.has(placement);
  const offerRules = [timeRule(offer), channelRule(offer), placementRule(allowsPlacement), stockRule(offer)];
  const customerRules = [
    consentRule,
    complaintRule(offer),
    tierRule(offer),
    segmentRule(offer),
    featureRule(offer, featureNames),
  ].filter((rule) => rule !== undefined);

  const exclusionOfOffer: OfferRule = (situation) => {
    for (const rule of offerRules) {
      const reason = rule(situation);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return {
    offer,
    allowsPlacement,
    exclusionOfOffer,
    exclusion: (facts, situation) => {
      const ofOffer = exclusionOfOffer(situation);
      if (ofOffer !== undefined) return ofOffer;
      for (const rule of customerRules) {
        const reason = rule(facts, situation);
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
  };
}

function timeRule(offer: Offer): OfferRule {
  const from = offer.validFrom === undefined ? -Infinity : Date.parse(offer.validFrom);
  const to = offer.validTo === undefined ? Infinity : Date.parse(offer.validTo);
  return ({ now }) => (now < from ? 'not-yet-valid' : now >= to ? 'no-longer-valid' : undefined);
}

function channelRule(offer: Offer): OfferRule {
  const channels = new Set<string>(offer.channels);
  return ({ channel }) => (channels.has(channel) ? undefined : 'channel-not-allowed');
}

function placementRule(allowsPlacement: (placement: string) => boolean): OfferRule {
  return ({ placements }) => (placements.some(allowsPlacement) ? undefined : 'placement-not-allowed');
}

/** An offer about items needs one that can be bought. One about a category as well has the rest of the category. */
function stockRule(offer: Offer): OfferRule {
  if (offer.itemIds.length === 0 || offer.categories.length > 0) return () => undefined;
  return ({ isBuyable }) => (offer.itemIds.some(isBuyable) ? undefined : 'out-of-stock');
}

const consentRule: Rule = (facts, { channel }) =>
  CONTACT_CHANNELS.has(channel) && facts.consent[channel as Channel] !== true ? 'no-consent' : undefined;

function complaintRule(offer: Offer): Rule | undefined {
  if (NON_SELLING.has(offer.benefit.kind)) return undefined;
  return (facts) => (facts.complaintOpen ? 'complaint-open' : undefined);
}

function tierRule(offer: Offer): Rule | undefined {
  if (offer.eligibility.loyaltyTiers === undefined) return undefined;
  const tiers = new Set(offer.eligibility.loyaltyTiers);
  return (facts) => (tiers.has(facts.loyaltyTier) ? undefined : 'tier-not-allowed');
}

function segmentRule(offer: Offer): Rule | undefined {
  if (offer.eligibility.segments === undefined) return undefined;
  const segments = new Set(offer.eligibility.segments);
  return ({ segment }) =>
    segment !== undefined && segments.has(segment) ? undefined : 'segment-not-allowed';
}

function featureRule(offer: Offer, featureNames: readonly string[]): Rule | undefined {
  if (offer.eligibility.features.length === 0) return undefined;
  const bounds = offer.eligibility.features.map(({ feature, min, max }) => ({
    at: featureNames.indexOf(feature),
    // Features are single precision: 0.1 must equal the 0.1 that someone wrote into a rule.
    min: Math.fround(min ?? -Infinity),
    max: Math.fround(max ?? Infinity),
  }));
  return ({ features }) => {
    for (const { at, min, max } of bounds) {
      const value = features[at];
      // Written so that NaN, and a feature that is not there, fail.
      if (value === undefined || !(value >= min && value <= max)) return 'feature-rule-failed';
    }
    return undefined;
  };
}
