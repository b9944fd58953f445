/** The decision itself: which offers to make in which place, and why each other one is not made. */
import type { DecidedOffer, ExcludedOffer, ExclusionReason, PlacementDecision } from '../domain/decision.ts';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { baseAcceptPropensity, type OfferCounts } from './accept-propensity.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { OfferSubject } from './offer-subject.ts';
import { offerPriority, type Priority } from './priority.ts';
import type { ShopStatistics } from './shop-statistics.ts';

export type OfferMarket = {
  offers: Iterable<CompiledOffer>;
  /** The catalogue, by item id. */
  items: ReadonlyMap<string, Item>;
  shop: ShopStatistics;
  /** `offerSubject` of an offer; may be some seconds old. */
  subjectOf: (offer: Offer) => OfferSubject;
  countsOf: (offerId: string) => OfferCounts;
};

export type OfferChoice = {
  /** In the order asked. */
  placements: PlacementDecision[];
  /** Every competing offer that is not made, once, by offer id. */
  excluded: ExcludedOffer[];
};

type Candidate = Priority & { compiled: CompiledOffer };

/**
 * Offers that pass every rule compete by priority, ties by offer id; each place takes the best `limit` that may stand
 * there and are not taken by a place asked before it. Saying nothing is a candidate worth 0, so nothing at or below 0 is
 * made. A place that is left empty gets the fallback offer, where one may stand there.
 */
export function chooseOffers(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  limit: number,
  basketMinor?: number,
): OfferChoice {
  const excluded: ExcludedOffer[] = [];
  const candidates: Candidate[] = [];
  for (const compiled of market.offers) {
    const { offer } = compiled;
    if (offer.fallback) continue;
    const reasonCode = compiled.exclusion(facts, situation);
    if (reasonCode !== undefined) {
      excluded.push({ offerId: offer.offerId, reasonCode });
      continue;
    }
    const subject = market.subjectOf(offer);
    const counts = market.countsOf(offer.offerId);
    const priority = offerPriority(offer, subject, facts, market.shop, counts, basketMinor);
    if (priority.priority > 0) candidates.push({ compiled, ...priority });
    else excluded.push(passedOver({ compiled, ...priority }, 'value-not-positive'));
  }
  candidates.sort(
    (a, b) => b.priority - a.priority || compareText(a.compiled.offer.offerId, b.compiled.offer.offerId),
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
      ...shown(standIn.offer),
      priority: 0,
      acceptPropensity: baseAcceptPropensity(standIn.offer.benefit.kind, counts),
      reasons: ['fallback'],
    };
    return { placement, offers: [offer], fallback: true };
  });
}

function decided({ compiled, priority, terms, reasons }: Candidate): DecidedOffer {
  return {
    ...shown(compiled.offer),
    priority,
    acceptPropensity: terms.acceptPropensity,
    reasons,
    terms,
  };
}

function shown({ offerId, name, benefit, content }: Offer) {
  return { offerId, name, benefit, content };
}

function passedOver({ compiled, priority, terms }: Candidate, reasonCode: ExclusionReason): ExcludedOffer {
  return { offerId: compiled.offer.offerId, reasonCode, priority, terms };
}

/** By code units: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
