/**
 * Who may have an offer. The rules are tried in the order of `EXCLUSION_REASONS`, and the first that fails is the
 * reason: what concerns the offer alone first, then what protects the customer (contact-policy.ts), then whom the business
 * wants to reach.
 */
import { LOYALTY_TIERS } from '../domain/channel.ts';
import type { ExcludedOffer, ExclusionReason } from '../domain/decision.ts';
import type { Offer, OfferVersion } from '../domain/offer.ts';
import { compileRule } from './compile-rule.ts';
import type { ContactRule } from './contact-policy.ts';
import { contentVersion } from './content-version.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import { isHeldOut } from './experiments.ts';

type CustomerRule = (facts: CustomerFacts, situation: Situation) => ExclusionReason | undefined;
type OfferRule = (situation: Situation) => ExclusionReason | undefined;

/** An offer with its rules as closures, made once for each version of the offer. */
export type CompiledOffer = {
  offer: Offer;
  version: OfferVersion;
  /** Why nobody may have it now, by its own rules (time, channel, placement, stock), or undefined: all that a fallback must pass. */
  exclusionOfOffer: OfferRule;
  /**
   * Why this customer may not have it now, of an offer whose own rules hold. `contactRule` is that of the shop's contact policy for
   * them.
   */
  exclusionOfCustomer: (
    facts: CustomerFacts,
    situation: Situation,
    contactRule: ContactRule,
  ) => ExclusionReason | undefined;
  allowsPlacement: (placement: string) => boolean;
  /** What a decision says of the offer where this is why it is not made: one for everybody, to be read only. */
  excludedFor: (reasonCode: ExclusionReason) => ExcludedOffer;
};

/** `featureNames` is the layout of `CustomerFacts.features`; a rule on a name that is not in it never holds. */
export function compileOffer(offer: Offer, featureNames: readonly string[]): CompiledOffer {
  const places = new Set(offer.placements);
  const allowsPlacement = (placement: string) => places.size === 0 || places.has(placement);
  const offerRules = [
    timeRule(offer),
    channelRule(offer),
    placementRule(allowsPlacement),
    giftRule(offer),
    stockRule(offer),
    basketRule(offer),
  ];
  const heldOut = holdoutRule(offer);
  const tierHeld = tierRule(offer);
  const ineligible = eligibilityRule(offer, featureNames);

  const exclusionOfOffer: OfferRule = (situation) => {
    for (const rule of offerRules) {
      const reason = rule(situation);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  const exclusionOfCustomer: CompiledOffer['exclusionOfCustomer'] = (facts, situation, contactRule) =>
    heldOut?.(facts, situation) ??
    contactRule(offer) ??
    tierHeld?.(facts, situation) ??
    ineligible?.(facts, situation);
  const version = contentVersion(offer);
  // As many as there are reasons, the offer's own rules' among them.
  const excluded = new Map<ExclusionReason, ExcludedOffer>();
  return {
    offer,
    version,
    allowsPlacement,
    excludedFor: (reasonCode) => {
      let known = excluded.get(reasonCode);
      if (known === undefined) {
        known = { offerId: offer.offerId, offerVersion: version, reasonCode };
        excluded.set(reasonCode, known);
      }
      return known;
    },
    exclusionOfOffer,
    exclusionOfCustomer,
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

/** A gift that is an item of the catalogue is promised only while it can be handed out. */
function giftRule({ benefit }: Offer): OfferRule {
  if (benefit.kind !== 'gift' || benefit.itemId === undefined) return () => undefined;
  const { itemId } = benefit;
  return ({ isBuyable }) => (isBuyable(itemId) ? undefined : 'out-of-stock');
}

/** An offer about items needs one that can be bought, a bundle all of them. One about a category as well has the rest of the category. */
function stockRule(offer: Offer): OfferRule {
  if (offer.benefit.kind === 'bundle')
    return ({ isBuyable }) => (offer.itemIds.every(isBuyable) ? undefined : 'out-of-stock');
  if (offer.itemIds.length === 0 || offer.categories.length > 0) return () => undefined;
  return ({ isBuyable }) => (offer.itemIds.some(isBuyable) ? undefined : 'out-of-stock');
}

/** While the basket is not known, it may still grow. */
function basketRule({ minBasketMinor }: Offer): OfferRule {
  if (minBasketMinor === undefined) return () => undefined;
  return ({ basketMinor }) =>
    basketMinor !== undefined && basketMinor < minBasketMinor ? 'basket-too-small' : undefined;
}

/** A trial of a tier is nothing to who has it, or a higher one. */
function tierRule({ benefit }: Offer): CustomerRule | undefined {
  if (benefit.kind !== 'tierTrial') return undefined;
  const tried = LOYALTY_TIERS.indexOf(benefit.tier);
  return ({ loyaltyTier }) => (LOYALTY_TIERS.indexOf(loyaltyTier) >= tried ? 'tier-held' : undefined);
}

function holdoutRule(offer: Offer): CustomerRule | undefined {
  if (offer.holdoutShare === 0) return undefined;
  return ({ subjectId }) => (isHeldOut(offer, subjectId) ? 'offer-holdout' : undefined);
}

function eligibilityRule(offer: Offer, featureNames: readonly string[]): CustomerRule | undefined {
  return offer.eligibility && compileRule(offer.eligibility, featureNames);
}
