/** The decision itself: which offers to make in which place, and why each other one is not made. */
import type {
  DecidedOffer,
  ExcludedOffer,
  ExclusionReason,
  PlacementDecision,
  ValueTerms,
} from '../domain/decision.ts';
import type { DecisionPolicy, Exploration } from '../domain/decision-policy.ts';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { baseAcceptPropensity, type OfferCounts } from './accept-propensity.ts';
import type { Contact } from './contact-history.ts';
import type { CompiledContactPolicy } from './contact-policy.ts';
import type { Economics } from './cost.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { DecisionSettings, Experiments } from './experiments.ts';
import {
  actionProbabilities,
  certainly,
  drawAction,
  evenly,
  explorationCost,
  greedyAction,
  type UncertainValue,
} from './exploration.ts';
import { heldContact } from './offer-limits.ts';
import type { OfferSubject } from './offer-subject.ts';
import { redeemableUntil } from './redeemable-until.ts';
import type { ShopStatistics } from './shop-statistics.ts';
import { type OfferValue, offerValue, reckonValue, type ValueContext } from './value.ts';

export type OfferMarket = {
  offers: Iterable<CompiledOffer>;
  /** The catalogue, by item id. */
  items: ReadonlyMap<string, Item>;
  shop: ShopStatistics;
  /** `offerSubject` of an offer; may be some seconds old. */
  subjectOf: (offer: Offer) => OfferSubject;
  countsOf: (offerId: string) => OfferCounts;
  /** Why an offer's budget cannot bear that it is made now, as far as is known; undefined: it can. */
  budgetReason: (offer: Offer) => 'budget-exhausted' | 'budget-paced' | undefined;
  /** See `Drawing`. */
  affordExploring: Drawing['afford'];
  economics: Economics;
  policy: DecisionPolicy;
  policyVersion: string;
  /** Of the policy: whom the shop may contact, and how often. */
  contactPolicy: CompiledContactPolicy;
  /** Of the policy: `settingsFor` a subject says how to decide for it. */
  experiments: Experiments;
  /** ISO 4217; every sum is in its minor units. */
  currency: string;
};

/** What drawing an offer takes, where a value is uncertain. */
export type Drawing = {
  /** Uniform in [0, 1). */
  random: () => number;
  /**
   * Is that much, in minor units, left of what such exploring may cost today? With `take` it is taken. Must not depend on
   * what `random` answers.
   */
  afford: (costMinor: number, take: boolean, exploration: Exploration) => boolean;
};

export type ChoiceOptions = {
  /** Offers that a place takes at most. */
  limit: number;
  /** Absent: nothing is explored. */
  drawing?: Drawing | undefined;
  /** Offers whose budgets are for others: known before anything is drawn. */
  withheld?: ((offerId: string) => boolean) | undefined;
};

export type OfferChoice = {
  /** In the order asked. */
  placements: PlacementDecision[];
  /** Every competing offer that is not made, once, by offer id. */
  excluded: ExcludedOffer[];
};

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

/** A choice that can still be changed where an offer of it turns out not to be had. */
export type OpenChoice = {
  /** Of whom, where and when. */
  facts: CustomerFacts;
  situation: Situation;
  /** What stands in the places now, fallbacks apart. */
  chosen: () => Candidate[];
  /** Takes an offer out of its place, where the choice goes on with what is left. */
  refuse: (candidate: Candidate, reasonCode: ExclusionReason) => void;
  /** `withTerms` (the default): why the offers that are not made are worth what they are, too. */
  result: (withTerms?: boolean) => OfferChoice;
};

type Place = {
  placement: string;
  offers: Candidate[];
  /** The first was drawn although another, or nothing, is worth more. */
  explored: boolean;
  loggingPropensity: number | undefined;
};

/** `openChoice` where everything chosen can be had. */
export function chooseOffers(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  options: ChoiceOptions,
): OfferChoice {
  return openChoice(market, facts, situation, options).result();
}

/**
 * Offers that pass every rule compete, in one place after the other; an offer stands in one place. They are ranked by value
 * (or as an experiment's variant says), ties by offer id. The first offer of a place is the best of those that may stand
 * there, or is drawn among them; saying nothing is a candidate worth 0. Where nothing is drawn, nothing is made there; else
 * the best of the others that are worth more than nothing follow, up to `limit`. A place that is left empty gets the
 * fallback offer, where one may stand there.
 *
 * `loggingPropensity` is the probability of a place's first offer (or of nothing) given those of the places before it,
 * over the drawing and over who is in the control group. What follows the first is certain, given the first.
 */
export function openChoice(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  { limit, drawing, withheld }: ChoiceOptions,
): OpenChoice {
  const settings = market.experiments.settingsFor(facts.subjectId, situation.now);
  const contactPolicy = settings.contactPolicy ?? market.contactPolicy;
  const controlGroup = market.experiments.controlGroup(facts.subjectId);
  const competition = candidatesOf(market, facts, situation, settings, withheld);
  const { candidates, excluded } = competition;
  const taken = new Set<Candidate>();
  const refused = new Map<Candidate, ExclusionReason>();
  /** Not made because another, or nothing, was drawn in their stead. */
  const notDrawn = new Set<Candidate>();
  /** Not made because of another that is. */
  const shutOut = new Set<Candidate>();
  /** P(the customer is in the control group), given what is done in the places before. */
  let controlShare = controlGroup.share;

  const freeFor = (placement: string) =>
    candidates.filter(
      (candidate) =>
        !taken.has(candidate) &&
        !refused.has(candidate) &&
        candidate.compiled.allowsPlacement(placement) &&
        maySitBeside(candidate),
    );

  /** With what has been taken. */
  function maySitBeside(candidate: Candidate): boolean {
    const { offer } = candidate.compiled;
    for (const other of taken)
      if (!refused.has(other) && contactPolicy.excludeEachOther(offer, other.compiled.offer)) {
        shutOut.add(candidate);
        return false;
      }
    return true;
  }
  const take = (candidate: Candidate, place: Place) => {
    taken.add(candidate);
    place.offers.push(candidate);
  };

  function probabilitiesOf(values: readonly UncertainValue[]): Float64Array {
    if (settings.ranking === 'nothing') return certainly(values.length, values.length);
    const isRandom = settings.ranking === 'random';
    if (isRandom && drawing === undefined) return evenly(values.length);
    const best = certainly(greedyAction(values), values.length);
    if (settings.ranking === 'response' || drawing === undefined) return best;
    // Drawn evenly, too, costs what the best would have brought, and is held to the same bound.
    const probabilities = isRandom
      ? evenly(values.length)
      : actionProbabilities(values, settings.exploration);
    const cost = explorationCost(values, probabilities);
    return cost === 0 || drawing.afford(cost, !controlGroup.member, settings.exploration)
      ? probabilities
      : best;
  }

  function drawFirst(place: Place): void {
    const free = freeFor(place.placement);
    const values = free.map(({ rank, deviation }) => ({ mean: rank, deviation }));
    const probabilities = probabilitiesOf(values);
    const best = greedyAction(values);
    const nothing = values.length;
    const action = controlGroup.member ? nothing : drawAction(probabilities, drawing?.random() ?? 0);
    const drawnHere = (1 - controlShare) * (probabilities[action] ?? 0);
    place.loggingPropensity = action === nothing ? controlShare + drawnHere : drawnHere;
    controlShare = action === nothing && controlShare > 0 ? controlShare / place.loggingPropensity : 0;
    place.explored = action !== best && !controlGroup.member;
    const [drawn, better] = [free[action], free[best]];
    if (drawn !== undefined) take(drawn, place);
    if (better !== undefined && place.explored) notDrawn.add(better);
  }

  function addFollowers(place: Place): void {
    for (const candidate of freeFor(place.placement)) {
      if (place.offers.length >= limit || candidate.rank <= 0) break;
      if (maySitBeside(candidate)) take(candidate, place);
    }
  }

  const places: Place[] = [];
  for (const placement of situation.placements) {
    const place: Place = { placement, offers: [], explored: false, loggingPropensity: undefined };
    drawFirst(place);
    if (place.offers.length > 0) addFollowers(place);
    places.push(place);
  }

  function refuse(candidate: Candidate, reasonCode: ExclusionReason): void {
    const from = places.findIndex(({ offers }) => offers.includes(candidate));
    if (from < 0) return;
    refused.set(candidate, reasonCode);
    for (const [at, place] of places.entries()) {
      if (at < from) continue;
      const wasFirst = place.offers[0] === candidate;
      // See docs/offers.md: what stands here and after it no longer has a probability that could be told.
      if (at > from || wasFirst) place.loggingPropensity = undefined;
      if (at > from) continue;
      place.offers = place.offers.filter((other) => other !== candidate);
      if (wasFirst) place.explored = false;
      if (place.offers.length === 0) {
        drawFirst(place);
        place.loggingPropensity = undefined;
      }
      if (place.offers.length > 0) addFollowers(place);
    }
  }

  function reasonFor(candidate: Candidate): ExclusionReason {
    const reasonCode = refused.get(candidate);
    if (reasonCode !== undefined) return reasonCode;
    if (candidate.rank <= 0) return 'value-not-positive';
    if (shutOut.has(candidate)) return 'discount-open';
    return notDrawn.has(candidate) ? 'not-drawn' : 'outranked';
  }

  function result(withTerms = true): OfferChoice {
    const standIns = settings.fallback ? fallbacksOf(market, situation) : [];
    const placements = places.map(
      ({ placement, offers, explored, loggingPropensity }, at): PlacementDecision => {
        const logged = loggingPropensity === undefined ? {} : { loggingPropensity };
        if (offers.length === 0)
          return {
            ...(standIns[at] ?? { placement, offers: [], fallback: false }),
            ...logged,
          };
        const made = offers.map((candidate, i) =>
          decided(candidate, competition.valueOf(candidate), explored && i === 0, situation.now),
        );
        return { placement, offers: made, fallback: false, ...logged };
      },
    );
    if (controlGroup.member) return { placements, excluded: excludedAsControl(market, situation) };
    if (candidates.length === 0) return { placements, excluded };
    const passedOver = candidates
      .filter((candidate) => !taken.has(candidate) || refused.has(candidate))
      .map((candidate) => {
        const terms = withTerms ? competition.valueOf(candidate).terms : undefined;
        return excludedCandidate(candidate, reasonFor(candidate), terms);
      });
    return { placements, excluded: byOfferId([...excluded, ...passedOver]) };
  }

  return {
    facts,
    situation,
    chosen: () => places.flatMap(({ offers }) => offers),
    refuse,
    result,
  };
}

/** All that are worth more than nothing to the customer, best first, whatever would be chosen of them; nothing is drawn. */
export function worthwhileOffers(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
): Candidate[] {
  const settings = market.experiments.settingsFor(facts.subjectId, situation.now);
  if (settings.ranking === 'nothing' || market.experiments.controlGroup(facts.subjectId).member) return [];
  return candidatesOf(market, facts, situation, settings).candidates.filter(({ rank }) => rank > 0);
}

/** What competes in a situation, whoever the customer is. */
type Field = {
  situation: Situation;
  open: readonly CompiledOffer[];
  /** Excluded by their own rules. */
  closed: readonly ExcludedOffer[];
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
  const open: CompiledOffer[] = [];
  const closed: ExcludedOffer[] = [];
  for (const compiled of market.offers) {
    if (compiled.offer.fallback) continue;
    const reasonCode = compiled.exclusionOfOffer(situation);
    if (reasonCode === undefined) open.push(compiled);
    else closed.push(excludedOffer(compiled, reasonCode));
  }
  const isOpenToAll = open.every(({ offer }) => offer.holdoutShare === 0);
  const field: Field = { situation, open, closed, isOpenToAll, allExcluded: new Map(), fallbacks: undefined };
  fields.set(market, field);
  return field;
}

/** To be read only. */
function fallbacksOf(market: OfferMarket, situation: Situation): PlacementDecision[] {
  const field = fieldOf(market, situation);
  field.fallbacks ??= fallbackPlacements(market, situation);
  return field.fallbacks;
}

/** Of customers of whom the same is true of every offer, so that a list need not say it for each again. Frozen. */
function allExcludedFor(field: Field, reasonCode: ExclusionReason): ExcludedOffer[] {
  let excluded = field.allExcluded.get(reasonCode);
  if (excluded === undefined) {
    const own = field.open.map((compiled) => excludedOffer(compiled, reasonCode));
    excluded = byOfferId([...field.closed, ...own]);
    Object.freeze(excluded);
    field.allExcluded.set(reasonCode, excluded);
  }
  return excluded;
}

type Competition = {
  /** Best first. */
  candidates: Candidate[];
  /** To be read only, and by offer id where there are no candidates. */
  excluded: ExcludedOffer[];
  /** With terms and reasons. */
  valueOf: (candidate: Candidate) => OfferValue;
};

function candidatesOf(
  market: OfferMarket,
  facts: CustomerFacts,
  situation: Situation,
  { ranking, levers, withoutOffers, weights, contactPolicy = market.contactPolicy }: DecisionSettings,
  withheld?: ChoiceOptions['withheld'],
): Competition {
  const field = fieldOf(market, situation);
  const contactRule = contactPolicy.ruleFor(facts, situation);
  if (contactRule.ofAll !== undefined && field.isOpenToAll && withoutOffers.size === 0)
    return { candidates: [], excluded: allExcludedFor(field, contactRule.ofAll), valueOf: noValue };
  const context: ValueContext = {
    channel: situation.channel,
    shop: market.shop,
    economics: market.economics,
    contactCostMinor: market.policy.contact.costMinor[situation.channel] ?? 0,
    basketMinor: situation.basketMinor,
    aggrieved: contactRule.unsellable === true,
    weights,
  };
  // By response, too, a loss is not made: nothing bounds what it would cost.
  const isByResponse = (expectedValue: number) => ranking === 'response' && expectedValue > 0;
  const excluded: ExcludedOffer[] = [...field.closed];
  const candidates: Candidate[] = [];
  for (const compiled of field.open) {
    const { offer } = compiled;
    const held = heldContact(facts, offer.offerId, situation.now);
    const reasonCode = withoutOffers.has(offer.offerId)
      ? 'switched-off'
      : (compiled.exclusionOfCustomer(facts, situation, contactRule) ??
        (held === undefined ? budgetReason(market, offer, withheld) : undefined));
    if (reasonCode !== undefined) {
      excluded.push(excludedOffer(compiled, reasonCode));
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
    candidates.push({ compiled, rank, expectedValue, deviation: standardDeviationMinor, held });
  }
  candidates.sort(
    (a, b) => b.rank - a.rank || compareText(a.compiled.offer.offerId, b.compiled.offer.offerId),
  );
  return {
    candidates,
    excluded: candidates.length === 0 ? byOfferId(excluded) : excluded,
    // Reckoned again for the few that are asked for.
    valueOf: ({ compiled: { offer } }) => {
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

function noValue(): never {
  throw new RangeError('where nothing competes, there is no value to ask for');
}

function budgetReason(market: OfferMarket, offer: Offer, withheld: ChoiceOptions['withheld']) {
  return withheld?.(offer.offerId) ? 'budget-exhausted' : market.budgetReason(offer);
}

function excludedAsControl(market: OfferMarket, situation: Situation): ExcludedOffer[] {
  return allExcludedFor(fieldOf(market, situation), 'control-group');
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

function decided(
  { compiled, held }: Candidate,
  { expectedValue, terms, reasons }: OfferValue,
  explored: boolean,
  now: number,
): DecidedOffer {
  const until = held?.redeemableUntil ?? redeemableUntil(compiled.offer, now);
  return {
    ...shown(compiled),
    expectedValue,
    acceptPropensity: terms.acceptPropensity,
    uplift: terms.uplift,
    reasons: explored ? ['explored', ...reasons] : reasons,
    ...(until !== undefined && { redeemableUntil: new Date(until).toISOString() }),
    ...(held !== undefined && { heldSince: held.decisionId }),
    terms,
  };
}

function shown({ offer: { offerId, name, benefit, content }, version }: CompiledOffer) {
  return { offerId, offerVersion: version, name, benefit, content };
}

/** To be read only: the same one for everybody of whom the same is true. */
function excludedOffer(compiled: CompiledOffer, reasonCode: ExclusionReason): ExcludedOffer {
  let byReason = excludedOffers.get(compiled);
  if (byReason === undefined) {
    byReason = new Map();
    excludedOffers.set(compiled, byReason);
  }
  let excluded = byReason.get(reasonCode);
  if (excluded === undefined) {
    const { offer, version } = compiled;
    excluded = { offerId: offer.offerId, offerVersion: version, reasonCode };
    byReason.set(reasonCode, excluded);
  }
  return excluded;
}

/** As many for each offer as there are reasons, its own rules' among them. */
const excludedOffers = new WeakMap<CompiledOffer, Map<ExclusionReason, ExcludedOffer>>();

function byOfferId(excluded: ExcludedOffer[]): ExcludedOffer[] {
  return excluded.sort((a, b) => compareText(a.offerId, b.offerId));
}

function excludedCandidate(
  { compiled, expectedValue }: Candidate,
  reasonCode: ExclusionReason,
  terms: ValueTerms | undefined,
): ExcludedOffer {
  const { offer, version } = compiled;
  const excluded = { offerId: offer.offerId, offerVersion: version, reasonCode, expectedValue };
  return terms === undefined ? excluded : { ...excluded, terms };
}

/** By code units: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
