import { expect, test } from 'vitest';
import { noContact } from '../../../src/algorithms/uplift/uplift-log.ts';
import { attributionOf } from '../../../src/decide/attribution.ts';
import { customerFacts } from '../../../src/decide/customer-facts.ts';
import { noContext } from '../../../src/decide/decide.ts';
import { decisionInputs } from '../../../src/decide/decision-inputs.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../../src/features/record.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import type { LoggedAction } from '../../../src/history/logged-decisions.ts';
import { countsOf, createOfferSampler, type SamplerOptions } from '../../../src/train/offers/samples.ts';

const start = Date.UTC(2026, 0, 1);
const day = (n: number) => start + n * dayMs;

function event(type: ShopEvent['type'], at: number, more: object = {}): ShopEvent {
  return {
    type,
    eventId: `e${at}${type}`,
    customerId: 'c1',
    occurredAt: at,
    channel: 'web',
    ...more,
  } as ShopEvent;
}
const purchase = (at: number) =>
  event('purchase', at, { lines: [{ itemId: 'i1', quantity: 1, unitPriceMinor: 1000, category: 'tea' }] });
const outcome = (at: number, decisionId: string, kind: string) =>
  event('offerOutcome', at, { decisionId, offerId: 'ten', outcome: kind });
const action = (decisionId: string, at: number, offered = true): LoggedAction => ({
  decisionId,
  at,
  channel: 'web',
  placement: 'hero',
  offer: offered
    ? { offerId: 'ten', offerVersion: '0', benefit: { kind: 'percentOff', percent: 10 } }
    : undefined,
  propensity: 0.5,
});

function sample(events: ShopEvent[], actions: LoggedAction[], change: Partial<SamplerOptions> = {}) {
  const sampler = createOfferSampler({
    channels: ['email', 'web'],
    categories: ['coffee', 'tea'],
    descriptorOf: ({ offerId }) => ({
      offerId,
      kind: 'percentOff',
      depth: 0.1,
      retention: false,
      categories: [],
    }),
    windowMs: 10 * dayMs,
    end: day(100),
    split: day(60),
    churnHorizonDays: 20,
    ...change,
  });
  sampler.add('c1', events, actions);
  return sampler.finish();
}

test('a decision sees the events before it and none from its instant on, as the record did that it was made from', () => {
  const events = [
    purchase(day(1)),
    event('view', day(5), { lines: [{ itemId: 'i1', quantity: 1 }] }),
    purchase(day(20)),
    purchase(day(21)),
  ];
  const { log } = sample(events, [action('d1', day(20)), action('d2', day(20) + 1)]);
  const width = FEATURE_NAMES.length;
  for (const [row, at] of [day(20), day(20) + 1].entries()) {
    const record = emptyRecord();
    for (const before of events) if (before.occurredAt < at) applyEvent(record, before);
    expect(Array.from(log.contexts.subarray(row * (width + 2), row * (width + 2) + width))).toEqual(
      Array.from(featureVector(record, at)),
    );
  }
  // Of the channels, the one that it was decided on.
  expect(Array.from(log.contexts.subarray(width, width + 2))).toEqual([0, 1]);
});

test('what the service logs as the inputs of a decision is what its replay sees, feature by feature; what was never observed, null', () => {
  const events = [purchase(day(1)), event('visit', day(3)), purchase(day(9)), purchase(day(30))];
  const record = emptyRecord();
  for (const before of events.slice(0, 3)) applyEvent(record, before);
  const none = { collaborative: undefined, churn: undefined, customerValue: undefined, offers: undefined };
  const facts = customerFacts('c1', record, none, new Map(), noContext, day(12));
  const { features } = decisionInputs(facts, undefined, noContext);
  const { log } = sample(events, [action('d1', day(12))]);
  expect(Object.keys(features)).toEqual([...FEATURE_NAMES]);
  const replayed = Array.from(log.contexts.subarray(0, FEATURE_NAMES.length));
  const never = FEATURE_NAMES.filter((name) => features[name] === null);
  expect(never).toEqual(expect.arrayContaining(['gapSpreadDays', 'lastRating', 'lastNps']));
  expect(never).not.toContain('purchaseCount');
  // Models read a stand-in there, neither good nor bad.
  expect(replayed.map((value, at) => (features[FEATURE_NAMES[at]!] === null ? null : value))).toEqual(
    Object.values(features),
  );
});

test('whatever happens later, what is known of the customer stays the same', () => {
  const before = [purchase(day(1)), purchase(day(9))];
  const later = [purchase(day(20)), outcome(day(21), 'd1', 'dismissed'), purchase(day(50))];
  const [alone, all] = [before, [...before, ...later]].map((events) =>
    sample(events, [action('d1', day(20))]),
  );
  expect(alone!.log.contexts).toEqual(all!.log.contexts);
  expect(alone!.log.interest).toEqual(all!.log.interest);
  expect(alone!.log.orders[0]).toBe(0);
  expect(all!.log.orders[0]).toBe(1);
  expect([alone!.log.dismissed[0], all!.log.dismissed[0]]).toEqual([0, 1]);
});

test('orders are counted, of customers who order every other day no more than four; who only looks has read and not taken', () => {
  const often = Array.from({ length: 9 }, (_, n) => purchase(day(16 + n / 10)));
  const { log } = sample(
    [purchase(day(1)), ...often, outcome(day(17), 'd1', 'viewed')],
    [action('d1', day(15))],
  );
  expect(log.orders[0]).toBe(4);
  expect([log.read[0], log.taken[0], log.dismissed[0]]).toEqual([1, 0, 0]);
});

test('a purchase counts for each decision whose window it lies in, a redemption for the decision that it names', () => {
  const events = [
    purchase(day(1)),
    purchase(day(24)),
    outcome(day(24), 'd1', 'redeemed'),
    outcome(day(25), 'd2', 'clicked'),
  ];
  const { log } = sample(events, [
    action('d1', day(15)),
    action('d2', day(20)),
    action('d3', day(14)),
    action('d4', day(30), false),
  ]);
  expect(Array.from(log.orders)).toEqual([1, 1, 0, 0]);
  expect(Array.from(log.redeemed)).toEqual([1, 0, 0, 0]);
  // A click takes an offer up as well; whoever answers in any way has read.
  expect(Array.from(log.taken)).toEqual([1, 1, 0, 0]);
  expect(Array.from(log.read)).toEqual([1, 1, 0, 0]);
  expect(Array.from(log.offer)).toEqual([0, 0, 0, noContact]);
  expect(Array.from(log.evidence).every((evidence) => evidence > 0)).toBe(true);
  expect(Array.from(log.interest.subarray(0, 2))).toEqual([0, 1]);
});

test('a purchase that says so redeems the last decision that made the offer, or the one that it names', () => {
  const redeeming = (at: number, decisionId?: string) =>
    event('purchase', at, {
      lines: [{ itemId: 'i1', quantity: 1 }],
      redeemed: [{ offerId: 'ten', ...(decisionId !== undefined && { decisionId }) }],
    });
  const actions = [action('d1', day(10)), action('d2', day(12)), action('d3', day(13), false)];
  expect(Array.from(sample([redeeming(day(14))], actions).log.redeemed)).toEqual([0, 1, 0]);
  expect(Array.from(sample([redeeming(day(14), 'd1')], actions).log.redeemed)).toEqual([1, 0, 0]);
});

test('decisions whose window has not passed are left out; leaving is known once the horizon after it has', () => {
  const events = [purchase(day(1)), purchase(day(45))];
  const {
    log,
    censored,
    churnedBySplit,
    action: position,
  } = sample(events, [
    action('d1', day(10)),
    action('d2', day(30)),
    action('d3', day(71)),
    action('d4', day(95)),
  ]);
  expect(censored).toBe(1);
  expect(Array.from(position)).toEqual([0, 1, 2]);
  // d1: days 20 to 40 without an order; d2: 40 to 60, with one; d3: 81 to 101 is not known.
  expect(Array.from(log.churned)).toEqual([1, 0, Number.NaN]);
  // At day 60 the horizons of the first two had just passed.
  expect(Array.from(churnedBySplit)).toEqual([1, 0, Number.NaN]);
  expect(Array.from(sample(events, [action('d2', day(30))], { split: day(59) }).churnedBySplit)).toEqual([
    Number.NaN,
  ]);
});

test('of somebody who has never ordered, leaving says nothing', () => {
  const { log } = sample([event('visit', day(1))], [action('d1', day(10))]);
  expect(log.churned[0]).toBeNaN();
});

test('an offer that is shown again while it is held was made once, and is redeemed once, whichever decision that is told of', () => {
  const shownAgain = (decisionId: string, at: number): LoggedAction => {
    const { offer, ...shown } = action(decisionId, at);
    return { ...shown, offer: offer && { ...offer, heldSince: 'd1' } };
  };
  const actions = [
    action('d1', day(1)),
    shownAgain('d2', day(2)),
    shownAgain('d3', day(3)),
    action('d4', day(20)),
    shownAgain('d5', day(21)),
  ];
  const samples = sample([outcome(day(2) + 1, 'd3', 'redeemed')], actions);
  // Told within a day before the decision that it names, it is that one's as well. The last was shown long after its offer had been redeemed.
  expect([...samples.log.shownAgain]).toEqual([0, 1, 1, 0, 1]);
  expect([...samples.log.redeemed]).toEqual([1, 1, 1, 0, 0]);
  expect(countsOf(samples, Int32Array.from(samples.at.keys()))('ten')).toEqual({ made: 2, redeemed: 1 });
  // By a purchase that names the offer alone, or the decision which made it.
  for (const decisionId of [undefined, 'd1', 'd2'])
    expect([
      ...sample(
        [
          event('purchase', day(4), {
            lines: [],
            redeemed: [{ offerId: 'ten', ...(decisionId && { decisionId }) }],
          }),
        ],
        actions,
      ).log.redeemed,
    ]).toEqual([1, 1, 1, 0, 0]);
});

test('a redemption counts exactly where the service attributes it: from a day before the decision until the offer can be redeemed no more', () => {
  const decidedAt = day(15) + dayMs / 2;
  const { offer, ...made } = action('d1', decidedAt);
  const until = day(18);
  const offered = { ...made, offer: offer && { ...offer, redeemableUntil: new Date(until).toISOString() } };
  for (const at of [decidedAt - dayMs - 1, decidedAt - dayMs, day(15), until - 1, until, day(20)]) {
    const isIts = attributionOf(decidedAt, offered.offer ?? {}, 'redeemed', at) === 'attributed';
    const redeeming = event('purchase', at, {
      lines: [],
      redeemed: [{ offerId: 'ten', decisionId: 'd1' }],
    });
    for (const told of [redeeming, outcome(at, 'd1', 'redeemed')])
      expect([at - decidedAt, sample([told], [offered]).log.redeemed[0]]).toEqual([
        at - decidedAt,
        isIts ? 1 : 0,
      ]);
  }
});

test('an order that redeems a decision of its day, told as midnight, came of the decision, and is nothing that was known before', () => {
  const midnight = day(15);
  const redeeming = event('purchase', midnight, {
    lines: [{ itemId: 'i1', quantity: 1, unitPriceMinor: 1000, category: 'tea' }],
    redeemed: [{ offerId: 'ten', decisionId: 'd1' }],
  });
  const actions = [action('d1', midnight + dayMs / 2), action('d2', midnight + dayMs)];
  const [told, untold] = [[purchase(day(1)), redeeming], [purchase(day(1))]].map((all) =>
    sample(all, actions),
  );
  const columns = FEATURE_NAMES.length + 2;
  expect([told!.log.orders[0], told!.log.redeemed[0]]).toEqual([1, 1]);
  expect(told!.log.contexts.subarray(0, columns)).toEqual(untold!.log.contexts.subarray(0, columns));
  // The next decision knows of it.
  const orders = FEATURE_NAMES.indexOf('purchaseCount');
  expect([told!.log.contexts[columns + orders], told!.log.orders[1]]).toEqual([2, 0]);
});

test('a purchase that names no decision redeems the one whose offer could be redeemed then, not a later that has ended', () => {
  const lasting = (decisionId: string, at: number, until: number): LoggedAction => {
    const { offer, ...made } = action(decisionId, at);
    return { ...made, offer: offer && { ...offer, redeemableUntil: new Date(until).toISOString() } };
  };
  const actions = [lasting('d1', day(10), day(20)), lasting('d2', day(12), day(13))];
  const redeeming = event('purchase', day(14), { lines: [], redeemed: [{ offerId: 'ten' }] });
  expect([...sample([redeeming], actions).log.redeemed]).toEqual([1, 0]);
});
