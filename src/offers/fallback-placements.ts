/** What stands where no offer is worth making. */
import type { DecidedOffer, PlacementDecision } from '../domain/decision.ts';
import { isSelling } from '../domain/offer.ts';
import { baseAcceptPropensity } from './accept-propensity.ts';
import type { Situation } from './customer-facts.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { OfferMarket } from './offer-market.ts';
import { compareText } from './offer-order.ts';

/**
 * What stands in each place when nothing is worth making, or when the customer cannot be read at all. `maySell`: false for whom nothing
 * may be sold to.
 */
export function fallbackPlacements(
  market: Pick<OfferMarket, 'offers' | 'countsOf'>,
  situation: Situation,
  maySell = true,
): PlacementDecision[] {
  const standIns = [...market.offers]
    .filter(
      ({ offer, exclusionOfOffer }) =>
        offer.fallback && (maySell || !isSelling(offer)) && exclusionOfOffer(situation) === undefined,
    )
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

/** What a decision says of an offer that it makes, whoever gets it. */
export function shown({ offer: { offerId, name, benefit, content }, version }: CompiledOffer) {
  return { offerId, offerVersion: version, name, benefit, content };
}
