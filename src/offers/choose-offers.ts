/** The decision itself: which offers to make in which place, and why each other one is not made. */
import type {
  DecidedOffer,
  ExcludedOffer,
  ExclusionReason,
  PlacementDecision,
  ValueTerms,
} from '../domain/decision.ts';
import {
  allExcluded,
  type Candidate,
  competitionOf,
  fallbacksOf,
  isCandidate,
  type Withheld,
} from './competition.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import {
  actionProbabilities,
  certainly,
  drawAction,
  evenly,
  explorationCost,
  greedyAction,
  leastExplorationCost,
  type UncertainValue,
} from './exploration.ts';
import { shown } from './fallback-placements.ts';
import type { Drawing, OfferMarket } from './offer-market.ts';
import { redeemableUntil } from './redeemable-until.ts';
import type { OfferValue } from './value.ts';

export type ChoiceOptions = {
  /** Offers that a place takes at most. */
  limit: number;
  /** Absent: nothing is explored. */
  drawing?: Drawing | undefined;
  /** Offers whose budgets are for others: known before anything is drawn. */
  withheld?: Withheld | undefined;
};

export type OfferChoice = {
  /** In the order asked. */
  placements: PlacementDecision[];
  /** Every competing offer that is not made, once, by offer id. */
  excluded: ExcludedOffer[];
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
  placements: () => PlacementDecision[];
  /** Of each of `competingOffers`, in their order, why it is not made (undefined: it is), and the candidate where it passed every rule. */
  eachReason: (tell: TellReason) => void;
  /** Where one reason keeps all of them from the customer: what others, too, are told. */
  keptFromAll: ExcludedOffer[] | undefined;
  /** All of it, with why the offers that are not made are worth what they are. */
  result: () => OfferChoice;
};

export type TellReason = (
  offerId: string,
  reasonCode: ExclusionReason | undefined,
  candidate: Candidate | undefined,
) => void;

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
  const { candidates, entries, noneOf, valueFor } = competitionOf(
    market,
    facts,
    situation,
    settings,
    withheld,
  );
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
    // Most of a day's decisions come when that is spent: to find out what could be drawn would take longer than to value all offers.
    if (
      !isRandom &&
      drawing.isSpent?.(leastExplorationCost(values, settings.exploration), settings.exploration)
    )
      return best;
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
    // Where there is nothing to draw from, no draw is used up.
    const action =
      controlGroup.member || nothing === 0 ? nothing : drawAction(probabilities, drawing?.random() ?? 0);
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

  function placed(): PlacementDecision[] {
    const maySell = contactPolicy.whyUnsellable(facts, situation.now) === undefined;
    const standIns = settings.fallback ? fallbacksOf(market, situation, maySell) : [];
    return places.map(({ placement, offers, explored, loggingPropensity }, at): PlacementDecision => {
      const logged = loggingPropensity === undefined ? {} : { loggingPropensity };
      if (offers.length === 0)
        return { ...(standIns[at] ?? { placement, offers: [], fallback: false }), ...logged };
      const made = offers.map((candidate, i) =>
        decided(candidate, valueFor(candidate), explored && i === 0, situation.now),
      );
      return { placement, offers: made, fallback: false, ...logged };
    });
  }

  const keptFromAll = controlGroup.member ? allExcluded(market, situation, 'control-group') : noneOf;

  function eachReason(tell: TellReason): void {
    const all = keptFromAll ?? entries;
    // By position: a list asks for fifty of each of a million, and an iterator makes an object for each.
    for (let at = 0; at < all.length; at++) {
      const entry = all[at] as (typeof all)[number];
      if (!isCandidate(entry)) tell(entry.offerId, entry.reasonCode, undefined);
      else {
        const isMade = taken.has(entry) && !refused.has(entry);
        tell(entry.compiled.offer.offerId, isMade ? undefined : reasonFor(entry), entry);
      }
    }
  }

  function result(): OfferChoice {
    if (keptFromAll !== undefined) return { placements: placed(), excluded: keptFromAll };
    const excluded: ExcludedOffer[] = [];
    for (const entry of entries)
      if (!isCandidate(entry)) excluded.push(entry);
      else if (!taken.has(entry) || refused.has(entry))
        excluded.push(excludedCandidate(entry, reasonFor(entry), valueFor(entry).terms));
    return { placements: placed(), excluded };
  }

  return {
    facts,
    situation,
    chosen: () => places.flatMap(({ offers }) => offers),
    refuse,
    placements: placed,
    eachReason,
    keptFromAll,
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
  return competitionOf(market, facts, situation, settings).candidates.filter(({ rank }) => rank > 0);
}

function decided(
  { compiled, held }: Candidate,
  { expectedValue, terms, reasons }: OfferValue,
  explored: boolean,
  now: number,
): DecidedOffer {
  const until = held?.redeemableUntil ?? redeemableUntil(compiled.offer, now);
  const made: DecidedOffer = {
    ...shown(compiled),
    expectedValue,
    acceptPropensity: terms.acceptPropensity,
    uplift: terms.uplift,
    reasons: explored ? ['explored', ...reasons] : reasons,
  };
  if (until !== undefined) made.redeemableUntil = new Date(until).toISOString();
  if (held !== undefined) made.heldSince = held.decisionId;
  made.terms = terms;
  return made;
}

function excludedCandidate(
  { compiled, expectedValue }: Candidate,
  reasonCode: ExclusionReason,
  terms: ValueTerms,
): ExcludedOffer {
  const { offer, version } = compiled;
  return { offerId: offer.offerId, offerVersion: version, reasonCode, expectedValue, terms };
}
