/**
 * The decisions that the simulated shop has made and logged: once a week, an offer drawn evenly from those that the customer
 * may have, or none. Each is logged with its probability, so that what offers do can be told from the log.
 */
import { createRng } from '../algorithms/rng.ts';
import type { DecidedOffer, Decision } from '../domain/decision.ts';
import type { CustomerId } from '../domain/ids.ts';
import { DISCOUNTS } from '../domain/offer.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { contact } from './contact.ts';
import { WEEK_DAYS } from './departure.ts';
import type { Journey } from './journey.ts';
import type { SimulatedOffer } from './offer-effects.ts';
import { mailableOffers } from './standing.ts';

const NO_OFFER_SHARE = 0.4;
const PLACEMENT = 'email-top';

/** The next decision is within the hour after eight of the week's first morning, if it is one of those that are logged. */
export function planDecision(journey: Journey, after: number): void {
  const { shop, agenda } = journey;
  const { startAt, endAt } = shop.logging;
  const minute = createRng(shop.options.seed, 'customer', journey.index, 'decisions').nextInt(60);
  const within = 8 * hourMs + minute * 60_000;
  const week = Math.max(0, Math.floor((after - startAt - within) / (WEEK_DAYS * dayMs)) + 1);
  const at = startAt + week * WEEK_DAYS * dayMs + within;
  if (at < endAt) agenda.plan(at, { kind: 'decision' });
}

export function decideAtRandom(journey: Journey, at: number): void {
  planDecision(journey, at);
  const candidates = mailableOffers(journey, at);
  if (candidates.length === 0) return;
  const rng = createRng(journey.shop.options.seed, 'customer', journey.index, 'decision', at);
  const none = rng.chance(NO_OFFER_SHARE);
  const drawn = none ? undefined : candidates[rng.nextInt(candidates.length)];
  const propensity = none ? NO_OFFER_SHARE : (1 - NO_OFFER_SHARE) / candidates.length;
  const decisionId = `${journey.shop.run}-${journey.traits.customerId}-d${journey.decisions++}`;
  journey.decisionText += `${JSON.stringify(decisionOf(journey, at, decisionId, drawn, propensity))}\n`;
  if (drawn !== undefined) makeOffer(journey, at, drawn, decisionId);
}

/** Sends it, and remembers that there is a discount which may be redeemed. */
export function makeOffer(journey: Journey, at: number, simulated: SimulatedOffer, decisionId: string): void {
  const { benefit, redeemWithinDays } = simulated.offer;
  if (DISCOUNTS.has(benefit.kind)) journey.discountUntil = at + redeemWithinDays * dayMs;
  contact(journey, at, simulated, decisionId);
}

/** What was not drawn is not listed: the log would be ten times as long. */
function decisionOf(
  { traits }: Journey,
  at: number,
  decisionId: string,
  simulated: SimulatedOffer | undefined,
  loggingPropensity: number,
): Decision {
  return {
    decisionId,
    customerId: traits.customerId as CustomerId,
    channel: 'email',
    currency: 'EUR',
    decidedAt: new Date(at).toISOString(),
    placements: [
      {
        placement: PLACEMENT,
        offers: simulated === undefined ? [] : [drawnOffer(simulated, at)],
        fallback: false,
        loggingPropensity,
      },
    ],
    excluded: [],
    fallback: false,
    experiment: null,
    modelVersions: {},
    policyVersion: 'simulated-random',
    degraded: false,
  };
}

/** Drawn, not reckoned: nothing is expected of it. */
function drawnOffer({ offer, version }: SimulatedOffer, at: number): DecidedOffer {
  const { offerId, name, benefit, redeemWithinDays } = offer;
  return {
    offerId,
    offerVersion: version,
    name,
    benefit,
    expectedValue: 0,
    acceptPropensity: 0,
    uplift: 0,
    reasons: ['explored'],
    content: {},
    redeemableUntil: new Date(at + redeemWithinDays * dayMs).toISOString(),
  };
}
