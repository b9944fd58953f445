/** Which offers compete for a customer, what each is worth to the shop, and why the others do not compete. */
import type { ExcludedOffer, ExclusionReason, PlacementDecision } from '../domain/decision.ts';
import type { Offer } from '../domain/offer.ts';
import type { Contact } from './contact-history.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { DecisionSettings } from './experiments.ts';
import { fallbackPlacements } from './fallback-placements.ts';
import { heldContact } from './offer-limits.ts';
import type { OfferMarket } from './offer-market.ts';
import { compareText } from './offer-order.ts';
import { type OfferValue, offerValue, reckonValue, type ValueContext } from './value.ts';

export type Candidate = {
  compiled: CompiledOffer;
  /** What it is ranked by; above 0 = rather than nothing. */
  rank: number;
  expectedValue: number;
  /** Standard deviation of its value. */
  deviation: number;
  /** The customer has this offer already and may still redeem it: made again, it is the same one. */
  held: Contact | undefined;
};

/** Offers whose budgets are for others. */
export type Withheld = (offerId: string) => boolean;

export type Competition = {
  /** Best first. */
  candidates: readonly Candidate[];
  /** Every offer that is no stand-in, by offer id: a candidate, or why it is none. Those may be shared: to be read only. */
  entries: readonly (Candidate | ExcludedOffer)[];
  /** Where one reason keeps the customer from all of them: the same, shared with others. */
  noneOf?: ExcludedOffer[];
  /** With terms and reasons. */
  valueFor: (candidate: Candidate) => OfferValue;
};

export function isCandidate(entry: Candidate | ExcludedOffer): entry is Candidate {
  return 'compiled' in entry;
}

/** What competes in a situation, whoever the customer is. */
type Field = {
  situation: Situation;
  /** Every offer that is no stand-in, by offer id; `closed`: it is excluded by its own rules. */
  offers: readonly { compiled: CompiledOffer; closed: ExcludedOffer | undefined }[];
  /** None of the open ones is kept from anybody by lot. */
  isOpenToAll: boolean;
  /** Every one excluded, the open ones for one reason; by offer id. */
  allExcluded: Map<ExclusionReason, ExcludedOffer[]>;
  /** What stands in each place that is left empty, once it has been asked for. */
  fallbacks: PlacementDecision[] | undefined;
};

/** The last of each market: a list asks for the same again and again. */
const fields = new WeakMap<OfferMarket, Field>();

function fieldOf(market: OfferMarket, situation: Situation): Field {
  const known = fields.get(market);
  if (
    known !== undefined &&
    known.situation.now === situation.now &&
    known.situation.channel === situation.channel &&
    known.situation.placements === situation.placements &&
    known.situation.basketMinor === situation.basketMinor
  )
    return known;
  const offers = competingOffers(market).map((compiled) => {
    const reasonCode = compiled.exclusionOfOffer(situation);
    return { compiled, closed: reasonCode === undefined ? undefined : compiled.excludedFor(reasonCode) };
  });
  const isOpenToAll = offers.every(
    ({ compiled, closed }) => closed !== undefined || compiled.offer.holdoutShare === 0,
  );
  const field: Field = { situation, offers, isOpenToAll, allExcluded: new Map(), fallbacks: undefined };
  fields.set(market, field);
  return field;
}

const competing = new WeakMap<OfferMarket['offers'], readonly CompiledOffer[]>();

/** Every offer that is no stand-in, by offer id; the same list as long as the market's offers are the same. */
export function competingOffers({ offers }: Pick<OfferMarket, 'offers'>): readonly CompiledOffer[] {
  let known = competing.get(offers);
  if (known === undefined) {
    known = [...offers]
      .filter(({ offer }) => !offer.fallback)
      .sort((a, b) => compareText(a.offer.offerId, b.offer.offerId));
    competing.set(offers, known);
  }
  return known;
}

/** To be read only. `maySell`: may something be sold to the customer now? */
export function fallbacksOf(
  market: OfferMarket,
  situation: Situation,
  maySell: boolean,
): PlacementDecision[] {
  const field = fieldOf(market, situation);
  // Of few customers.
  if (!maySell) return fallbackPlacements(market, situation, false);
  field.fallbacks ??= fallbackPlacements(market, situation);
  return field.fallbacks;
}

/** Of customers of whom the same is true of every offer, so that a list need not say it for each again. Frozen. */
export function allExcluded(
  market: OfferMarket,
  situation: Situation,
  reasonCode: ExclusionReason,
): ExcludedOffer[] {
  const field = fieldOf(market, situation);
  let excluded = field.allExcluded.get(reasonCode);
  if (excluded === undefined) {
    excluded = field.offers.map(({ compiled, closed }) => closed ?? compiled.excludedFor(reasonCode));
    Object.freeze(excluded);
    field.allExcluded.set(reasonCode, excluded);
  }
  return excluded;
}

export function competitionOf(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  { ranking, levers, withoutOffers, weights, contactPolicy = market.contactPolicy }: DecisionSettings,
  withheld?: Withheld,
): Competition {
  const field = fieldOf(market, situation);
  const contactRule = contactPolicy.ruleFor(facts, situation);
  if (contactRule.ofAll !== undefined && field.isOpenToAll && withoutOffers.size === 0)
    return noCompetition(allExcluded(market, situation, contactRule.ofAll));
  const context: ValueContext = {
    channel: situation.channel,
    shop: market.shop,
    economics: market.economics,
    contactCostMinor: market.policy.contact.costMinor[situation.channel] ?? 0,
    basketMinor: situation.basketMinor,
    weights,
  };
  // By response, too, a loss is not made: nothing bounds what it would cost.
  const isByResponse = (expectedValue: number) => ranking === 'response' && expectedValue > 0;
  const entries: (Candidate | ExcludedOffer)[] = [];
  const candidates: Candidate[] = [];
  for (const { compiled, closed } of field.offers) {
    if (closed !== undefined) {
      entries.push(closed);
      continue;
    }
    const { offer } = compiled;
    const held = heldContact(facts, offer.offerId, situation.now);
    const reasonCode = withoutOffers.has(offer.offerId)
      ? 'switched-off'
      : (compiled.exclusionOfCustomer(facts, situation, contactRule) ??
        (held === undefined ? budgetReason(market, offer, withheld) : undefined));
    if (reasonCode !== undefined) {
      entries.push(compiled.excludedFor(reasonCode));
      continue;
    }
    const { expectedValue, standardDeviationMinor, acceptPropensity } = reckonValue(
      offer,
      market.subjectOf(offer),
      facts,
      market.countsOf(offer.offerId),
      context,
      levers.get(offer.offerId),
    );
    const rank = isByResponse(expectedValue) ? acceptPropensity : expectedValue;
    const candidate = { compiled, rank, expectedValue, deviation: standardDeviationMinor, held };
    entries.push(candidate);
    candidates.push(candidate);
  }
  // They come by offer id, and a sort keeps that order of equals.
  candidates.sort((a, b) => b.rank - a.rank);
  return {
    candidates,
    entries,
    // Reckoned again for the few that are asked for.
    valueFor: ({ compiled: { offer } }) => {
      const value = offerValue(
        offer,
        market.subjectOf(offer),
        facts,
        market.countsOf(offer.offerId),
        context,
        levers.get(offer.offerId),
      );
      return isByResponse(value.expectedValue)
        ? { ...value, reasons: ['by-response', ...value.reasons] }
        : value;
    },
  };
}

function noCompetition(noneOf: ExcludedOffer[]): Competition {
  const valueFor = () => {
    throw new RangeError('where nothing competes, there is no value to ask for');
  };
  return { candidates: [], entries: noneOf, noneOf, valueFor };
}

function budgetReason(market: OfferMarket, offer: Offer, withheld: Withheld | undefined) {
  return withheld?.(offer.offerId) ? 'budget-exhausted' : market.budgetReason(offer);
}
