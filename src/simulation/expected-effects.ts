/**
 * What an offer is expected to do, from the customer's true state: to orders within its window, and to leaving. The truth
 * that estimates and policies are measured against, without sampling.
 */
import { dayMs } from '../domain/time.ts';
import { YEAR_DAYS } from './calendar.ts';
import { GRIEVANCES_AN_ORDER } from './consequences.ts';
import { BOND_DECAY, HAZARD, WEEK_DAYS, WEEK_DECAY } from './departure.ts';
import { FADING_ORDER_SHARE, isActive, type Journey } from './journey.ts';
import {
  type OfferResponse,
  ordersPerYear,
  reluctance,
  responseTo,
  type SimulatedOffer,
} from './offer-effects.ts';

/** What the four kinds are named after; there are shades between them. */
const EFFECT_KINDS = ['persuadable', 'sure', 'lost', 'drivenAway'] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

export type OfferEffects = {
  kind: EffectKind;
  /** Expected number of orders that would not have been. */
  additionalOrders: number;
  /** Change of P(an order within the offer's window). */
  uplift: number;
  /** P(redeemed), on an additional order or on one of the customer's own. */
  redeemed: number;
  /** Change of P(begins to leave, or stays with it, within 90 days). */
  churn: number;
};

const CHURN_WEEKS = 13;
/** From this change on an effect is one. */
const NOTABLE_UPLIFT = 0.03;
const NOTABLE_CHURN = 0.01;

export function effectsOf(journey: Journey, simulated: SimulatedOffer, at: number): OfferEffects {
  const response = responseTo(journey, simulated, at);
  const days = simulated.offer.redeemWithinDays;
  const own = ownOrderProbability(journey, days);
  const irritated = ownOrderProbability(journey, days, response.irritation);
  const additionalOrders = response.seen * response.persuaded;
  const uplift = irritated + additionalOrders * (1 - irritated) - own;
  const redeemed = additionalOrders + response.seen * (1 - response.persuaded) * response.uses * irritated;
  const churn = churnAfter(journey, response) - churnAfter(journey, undefined);
  const kind =
    churn >= NOTABLE_CHURN
      ? 'drivenAway'
      : uplift >= NOTABLE_UPLIFT || churn <= -NOTABLE_CHURN
        ? 'persuadable'
        : redeemed >= NOTABLE_UPLIFT
          ? 'sure'
          : 'lost';
  return { kind, additionalOrders, uplift, redeemed, churn };
}

/**
 * P(an order of the customer's own within so many days), as if orders came at a constant rate; `irritation` is added to what
 * there is.
 */
export function ownOrderProbability(journey: Journey, days: number, irritation = 0): number {
  if (!isActive(journey)) return 0;
  const left = reluctance(journey.departure.irritation + irritation) * journey.traits.ordersPerYear;
  const rate = (ordersPerYear(journey) - left) * (journey.phase === 'fading' ? FADING_ORDER_SHARE : 1);
  return 1 - Math.exp((-rate * days) / YEAR_DAYS);
}

/** P(has begun to leave 90 days from now); who fades already has, unless won back. */
function churnAfter(journey: Journey, response: OfferResponse | undefined): number {
  if (!isActive(journey)) return 1;
  return overResponses(journey, response, (change) => {
    if (journey.phase === 'fading' && !change.wonBack) return 1;
    return 1 - staying(journey, change, CHURN_WEEKS).atTheEnd;
  });
}

/** One way in which a contact may turn out, as far as it bears on leaving. */
export type Turn = { irritation: number; caredFor: number; orders: number; wonBack: boolean };

/** The mean of `value` over the ways in which the contact may turn out; no response = no contact. */
export function overResponses(
  { phase }: Pick<Journey, 'phase'>,
  response: OfferResponse | undefined,
  value: (turn: Turn) => number,
): number {
  const nothing = { irritation: 0, caredFor: 0, orders: 0, wonBack: false };
  if (response === undefined) return value(nothing);
  const { seen, persuaded, irritation, caredFor, wonBack } = response;
  const unread = value({ ...nothing, irritation });
  const read = (back: boolean) =>
    persuaded * value({ irritation, caredFor, orders: 1, wonBack: back }) +
    (1 - persuaded) * value({ irritation, caredFor, orders: 0, wonBack: back });
  const back = phase === 'fading' ? wonBack : 0;
  return (1 - seen) * unread + seen * ((back === 0 ? 0 : back * read(true)) + (1 - back) * read(false));
}

/**
 * P(has not begun to leave after so many weeks), and the sum of these probabilities over the weeks, each times the share of the
 * usual orders that irritation leaves: weeks of usual shopping. The hazard of `departure.ts`, with the grievances that orders
 * to come bring in expectation.
 */
export function staying(
  journey: Journey,
  { irritation, caredFor, orders }: Omit<Turn, 'wonBack'>,
  weeks: number,
): { atTheEnd: number; weeks: number } {
  const standing = journey.departure.standing();
  const [, store] = journey.traits.channelShares;
  const perOrder = GRIEVANCES_AN_ORDER.online * (1 - store) + GRIEVANCES_AN_ORDER.store * store;
  const perWeek = (perOrder * ordersPerYear(journey) * WEEK_DAYS) / YEAR_DAYS;
  let grievances = standing.grievances + HAZARD.weights.irritation * irritation + perOrder * orders;
  let bonds = standing.bonds + HAZARD.bonds.caredFor * caredFor;
  let irritated = journey.departure.irritation + irritation;
  const byTaste = journey.traits.ordersPerYear / ordersPerYear(journey);
  let integrated = 0;
  let sum = 0;
  for (let week = 0; week < weeks; week++) {
    sum += Math.exp(-integrated) * (1 - byTaste * reluctance(irritated));
    irritated *= WEEK_DECAY;
    integrated += (standing.weeklyBase * (1 + grievances + standing.openComplaints)) / (1 + bonds);
    grievances = grievances * WEEK_DECAY + perWeek;
    bonds *= BOND_DECAY;
  }
  return { atTheEnd: Math.exp(-integrated), weeks: sum };
}

/** Weeks for which a fading customer still comes, now and then. */
export function fadingWeeks({ fadesUntil }: Journey, at: number): number {
  return Math.max(0, fadesUntil - at) / (WEEK_DAYS * dayMs);
}
