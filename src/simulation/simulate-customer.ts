/**
 * One customer's way through the shop: an agenda of what happens next, worked off in the order of time. At once
 * (`simulateCustomer`), or bit by bit (`setOut`, `advance`), so that somebody outside can decide on offers in between.
 */

import { createRng, type Rng } from '../algorithms/rng.ts';
import { dayMs } from '../domain/time.ts';
import { createAgenda, type Planned } from './agenda.ts';
import { endHabit } from './basket.ts';
import { YEAR_DAYS } from './calendar.ts';
import { complain, deliver, leave, rate, resolveComplaint } from './consequences.ts';
import { orderPersuaded, seeOffer } from './contact.ts';
import { drawCustomer } from './customers.ts';
import { createDeparture, WEEK_DAYS } from './departure.ts';
import {
  answerSurvey,
  campaignOf,
  createEngagement,
  expirePoints,
  openMessage,
  planEngagement,
  sendMessage,
  takePart,
} from './engagement.ts';
import { EventWriter } from './event-writer.ts';
import { FADING_ORDER_SHARE, type Happening, isActive, type Journey, type Shop } from './journey.ts';
import { marginOf } from './ledger.ts';
import { decideAtRandom, planDecision } from './logged-decisions.ts';
import { reviewTier, spendOfTier } from './loyalty.ts';
import { createDisposition, reluctance } from './offer-effects.ts';
import { browse, order } from './shopping.ts';
import { customerTruth } from './truth.ts';

export type SimulatedCustomer = {
  /** Lines for `customers`, `events`, `decisions` and `truth`, each line ended; none are an empty text. */
  opening: string;
  events: string;
  decisions: string;
  truth: string;
  /** Lines of `events`. */
  eventCount: number;
};

const FADING_HABIT_SHARE = 0.4;
const FADING_VISIT_SHARE = 0.7;
const UNSUBSCRIBE_SHARE = 0.3;
const TIER_REVIEW_WEEKS = 13;

/** Customer `index`, from the stream of that number: the same however many others there are. */
export function simulateCustomer(shop: Shop, index: number): SimulatedCustomer {
  const journey = setOut(shop, index);
  const { writer } = journey;
  const opening = writer.take();
  advance(journey, shop.calendar.endAt);
  return {
    opening,
    truth: customerTruth(journey),
    eventCount: writer.count - 1,
    events: writer.take(),
    decisions: journey.decisionText,
  };
}

/** The customer before anything has happened but the first event, `customerUpdated`, which the writer holds. */
export function setOut(shop: Shop, index: number): Journey {
  const rng = createRng(shop.options.seed, 'customer', index);
  const traits = drawCustomer(index, shop.population, shop.calendar, rng);
  const journey: Journey = {
    shop,
    index,
    rng,
    traits,
    writer: new EventWriter(shop.calendar, shop.lineStarts, shop.run, traits.customerId),
    agenda: createAgenda<Happening>(),
    departure: createDeparture(traits.hiddenTrait, rng),
    engagement: createEngagement(shop, index, traits.hiddenTrait),
    disposition: createDisposition(shop.options.seed, index, shop.offers.length),
    coupon: undefined,
    ledger: { marginMinor: 0 },
    phase: 'active',
    fadingFrom: undefined,
    fadesUntil: Number.POSITIVE_INFINITY,
    churnedAt: undefined,
    oneTime: false,
    orders: 0,
    lastOrderAt: Number.NEGATIVE_INFINITY,
    spentMinor: 0,
    decisions: 0,
    discountUntil: Number.NEGATIVE_INFINITY,
    decisionText: '',
    weeks: 0,
    habits: [],
    owned: new Set(),
    habitual: new Set(),
    everyHabit: [],
    viewed: [],
    tier: traits.startingTier,
    yearSpendMinor: spendOfTier(traits.startingTier),
    yearSpendAt: traits.arrivesAt,
  };
  journey.writer.attributes(traits.arrivesAt, 'web', {
    loyaltyTier: traits.startingTier,
    consent: traits.consent,
    segment: traits.segment,
  });
  planFirsts(journey);
  return journey;
}

/** Everything that happens before `until`. Journeys may take turns: each finds the shop's buffers as it needs them. */
export function advance(journey: Journey, until: number): void {
  const { agenda, shop, traits } = journey;
  let soonest = agenda.waiting.at(-1);
  if (soonest === undefined || soonest.at >= until) return;
  shop.sampler.serve(traits.taste);
  for (; soonest !== undefined && soonest.at < until; soonest = agenda.waiting.at(-1)) {
    agenda.next();
    happen(journey, soonest);
  }
}

/** New customers mostly come with an order; of the existing ones, the history begins somewhere within a gap. */
function planFirsts(journey: Journey): void {
  const { traits, rng, agenda, shop } = journey;
  const { arrivesAt } = traits;
  const atOnce = !traits.existing && rng.chance(0.85);
  const wait = traits.existing ? rng.next() * orderGapDays(journey) : 5 * rng.exponential();
  agenda.plan(atOnce ? arrivesAt + 60_000 : shop.calendar.after(arrivesAt, wait), { kind: 'order' });
  planVisit(journey, arrivesAt);
  agenda.plan(arrivesAt + WEEK_DAYS * dayMs, { kind: 'week' });
  planEngagement(journey);
  planDecision(journey, arrivesAt);
}

type Handlers = {
  [Kind in Happening['kind']]: (journey: Journey, at: number, what: Happening & { kind: Kind }) => void;
};

const HANDLERS: Handlers = {
  order: orderByTaste,
  habit: orderByHabit,
  visit,
  week,
  question,
  unsubscribe,
  delivery: (journey, at, what) => deliver(journey, at, what.order),
  rating: (journey, at, what) => rate(journey, at, what.order),
  complaint: (journey, at, what) => complain(journey, at, what.topic, what.rng),
  resolved: resolveComplaint,
  return: takeBack,
  leave: leaveWhenDone,
  seen: seeOffer,
  persuaded: orderPersuaded,
  decision: decideAtRandom,
  message: (journey, at, { campaign }) => sendMessage(journey, at, campaign),
  opened: (journey, at, { campaign }) => openMessage(journey, at, campaign),
  survey: answerSurvey,
  activity: takePart,
  expiry: expirePoints,
};

function happen<What extends Happening>(journey: Journey, { at, what }: Planned<What>): void {
  const handler = HANDLERS[what.kind] as (journey: Journey, at: number, what: What) => void;
  handler(journey, at, what);
}

function takeBack(journey: Journey, at: number, { order, line }: Happening & { kind: 'return' }): void {
  if (journey.writer.return(at, order.channel, order.orderId, line))
    journey.ledger.marginMinor -= marginOf(journey, line);
}

/** Who was won back meanwhile has other plans. */
function leaveWhenDone(journey: Journey, at: number): void {
  const { phase, fadesUntil } = journey;
  if (phase === 'leaving' || (phase === 'fading' && at >= fadesUntil)) leave(journey, at);
}

/** Each order and each visit has a stream of its own, so that one more or less changes nothing about the others. */
function streamOf({ shop, index }: Journey, kind: 'order' | 'habit' | 'visit', at: number): Rng {
  return createRng(shop.options.seed, 'customer', index, kind, at);
}

function orderGapDays({ rng, traits }: Journey): number {
  return ((YEAR_DAYS / traits.ordersPerYear) * rng.gamma(traits.regularity)) / traits.regularity;
}

function orderByTaste(journey: Journey, at: number): void {
  if (!isActive(journey)) return;
  const { rng, traits, agenda, shop } = journey;
  agenda.plan(shop.calendar.after(at, orderGapDays(journey)), { kind: 'order' });
  if (journey.phase === 'fading' && !rng.chance(FADING_ORDER_SHARE)) return;
  const own = streamOf(journey, 'order', at);
  if (own.chance(reluctance(journey.departure.irritation))) return;
  order(journey, at, { picks: 1 + own.poisson(traits.extraPicks), rng: own });
}

function orderByHabit(journey: Journey, at: number, { habit, dueAt }: Happening & { kind: 'habit' }): void {
  // Bought along with an earlier order, or given up: the entry is stale.
  if (!isActive(journey) || habit.dueAt !== dueAt) return;
  const { rng, traits } = journey;
  if (journey.phase === 'fading' && !rng.chance(FADING_HABIT_SHARE)) {
    endHabit(journey, habit);
    return;
  }
  const own = streamOf(journey, 'habit', at);
  order(journey, at, { picks: own.chance(0.3) ? 1 + own.poisson(traits.extraPicks / 2) : 0, rng: own });
}

function planVisit(journey: Journey, from: number): void {
  const { rng, traits, agenda, shop } = journey;
  const gapDays = (YEAR_DAYS / traits.visitsPerYear) * rng.exponential();
  agenda.plan(shop.calendar.after(from, gapDays), { kind: 'visit' });
}

function visit(journey: Journey, at: number): void {
  if (!isActive(journey)) return;
  planVisit(journey, at);
  if (journey.phase === 'fading') {
    const left = (journey.fadesUntil - at) / (journey.fadesUntil - (journey.fadingFrom ?? at));
    if (!journey.rng.chance(FADING_VISIT_SHARE * left)) return;
  }
  browse(journey, at, streamOf(journey, 'visit', at));
}

function week(journey: Journey, at: number): void {
  if (!isActive(journey)) return;
  const { rng, agenda, departure } = journey;
  journey.weeks++;
  agenda.plan(at + WEEK_DAYS * dayMs, { kind: 'week' });
  if (journey.weeks % TIER_REVIEW_WEEKS === 0) reviewTier(journey, at);
  if (journey.phase !== 'active' || !departure.week()) return;
  journey.phase = 'fading';
  journey.fadingFrom = at;
  journey.fadesUntil = at + (14 + 18 * rng.gamma(2)) * dayMs;
  if (rng.chance(UNSUBSCRIBE_SHARE)) {
    const unsubscribesAt = at + rng.next() * (journey.fadesUntil - at);
    agenda.plan(unsubscribesAt, { kind: 'unsubscribe' });
  }
  agenda.plan(journey.fadesUntil, { kind: 'leave' });
}

function question(journey: Journey, at: number): void {
  if (isActive(journey)) journey.writer.contact(at, 'question', undefined);
}

function unsubscribe(journey: Journey, at: number): void {
  const { traits, writer, shop } = journey;
  // Who was won back meanwhile stays subscribed.
  if (journey.phase !== 'fading' || !traits.consent.email) return;
  traits.consent.email = false;
  writer.marketing(at, campaignOf(shop, at), 'unsubscribed');
}
