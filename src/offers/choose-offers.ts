/** The decision itself: which offers to make in which place, and why each other one is not made. */
import type { DecidedOffer, ExcludedOffer, ExclusionReason, PlacementDecision } from '../domain/decision.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { baseAcceptPropensity, type OfferCounts } from './accept-propensity.ts';
import type { Economics } from './cost.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { Experiments } from './experiments.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';
import { type OfferValue, offerValue, type ValueContext } from './value.ts';

export type OfferMarket = {
  offers: Iterable<CompiledOffer>;
  /** The catalogue, by item id. */
  items: ReadonlyMap<string, Item>;
  shop: ShopStatistics;
  /** `offerSubject` of an offer; may be some seconds old. */
  subjectOf: (offer: Offer) => OfferSubject;
  countsOf: (offerId: string) => OfferCounts;
  economics: Economics;
  policy: DecisionPolicy;
  policyVersion: string;
  /** Of the policy: `settingsFor` a subject says how to decide for it. */
  experiments: Experiments;
  /** ISO 4217; every sum is in its minor units. */
  currency: string;
};

export type OfferChoice = {
  /** In the order asked. */
  placements: PlacementDecision[];
  /** Every competing offer that is not made, once, by offer id. */
  excluded: ExcludedOffer[];
};

type Candidate = OfferValue & { compiled: CompiledOffer };

/**
 * Offers that pass every rule compete by value, ties by offer id; each place takes the best `limit` that may stand
 * there and are not taken by a place asked before it. Saying nothing is a candidate worth 0, so nothing at or below 0 is
 * made. A place that is left empty gets the fallback offer, where one may stand there.
 */
export function chooseOffers(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  limit: number,
): OfferChoice {
  const context: ValueContext = {
    shop: market.shop,
    economics: market.economics,
    contactCostMinor: market.policy.contact.costMinor[situation.channel] ?? 0,
    basketMinor: situation.basketMinor,
  };
  const excluded: ExcludedOffer[] = [];
  const candidates: Candidate[] = [];
  for (const compiled of market.offers) {
    const { offer } = compiled;
    if (offer.fallback) continue;
    const reasonCode = compiled.exclusion(facts, situation);
    if (reasonCode !== undefined) {
      excluded.push({ offerId: offer.offerId, offerVersion: compiled.version, reasonCode });
      continue;
    }
    const subject = market.subjectOf(offer);
    const counts = market.countsOf(offer.offerId);
    const candidate = { compiled, ...offerValue(offer, subject, facts, counts, context) };
    if (candidate.expectedValue > 0) candidates.push(candidate);
    else excluded.push(passedOver(candidate, 'value-not-positive'));
  }
  candidates.sort(
    (a, b) =>
      b.expectedValue - a.expectedValue || compareText(a.compiled.offer.offerId, b.compiled.offer.offerId),
  );

  const taken = new Set<Candidate>();
  const fallbacks = fallbackPlacements(market, situation);
  const placements = situation.placements.map((placement, at): PlacementDecision => {
    const best = candidates
      .filter((candidate) => !taken.has(candidate) && candidate.compiled.allowsPlacement(placement))
      .slice(0, limit);
    for (const candidate of best) taken.add(candidate);
    if (best.length > 0) return { placement, offers: best.map(decided), fallback: false };
    return fallbacks[at] ?? { placement, offers: [], fallback: false };
  });
  for (const candidate of candidates)
    if (!taken.has(candidate)) excluded.push(passedOver(candidate, 'outranked'));
  excluded.sort((a, b) => compareText(a.offerId, b.offerId));
  return { placements, excluded };
}

/** What stands in each place when nothing is worth making, or when the customer cannot be read at all. */
export function fallbackPlacements(
  market: Pick<OfferMarket, 'offers' | 'countsOf'>,
  situation: Situation,
): PlacementDecision[] {
  const standIns = [...market.offers]
    .filter(({ offer, exclusionOfOffer }) => offer.fallback && exclusionOfOffer(situation) === undefined)
    .sort(
      (a, b) =>
        b.offer.priorityLever - a.offer.priorityLever || compareText(a.offer.offerId, b.offer.offerId),
    );
  return situation.placements.map((placement) => {
    const standIn = standIns.find((compiled) => compiled.allowsPlacement(placement));
    if (standIn === undefined) return { placement, offers: [], fallback: false };
    const counts = market.countsOf(standIn.offer.offerId);
    const offer: DecidedOffer = {
      ...shown(standIn),
      expectedValue: 0,
      acceptPropensity: baseAcceptPropensity(standIn.offer.benefit.kind, counts),
      uplift: 0,
      reasons: ['fallback'],
    };
    return { placement, offers: [offer], fallback: true };
  });
}

function decided({ compiled, expectedValue, terms, reasons }: Candidate): DecidedOffer {
  return {
    ...shown(compiled),
    expectedValue,
    acceptPropensity: terms.acceptPropensity,
    uplift: terms.uplift,
    reasons,
    terms,
  };
}

function shown({ offer: { offerId, name, benefit, content }, version }: CompiledOffer) {
  return { offerId, offerVersion: version, name, benefit, content };
}

function passedOver(
  { compiled, expectedValue, terms }: Candidate,
  reasonCode: ExclusionReason,
): ExcludedOffer {
  return {
    offerId: compiled.offer.offerId,
    offerVersion: compiled.version,
    reasonCode,
    expectedValue,
    terms,
  };
}

/** By code units: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
