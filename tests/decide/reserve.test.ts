import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { type DecideRequest, decide, decideDry, noContext } from '../../src/decide/decide.ts';
import { type LoggedDecision, loggedForm } from '../../src/decide/decision-log.ts';
import { reportingMs } from '../../src/decide/ledger/contact-for.ts';
import { type SettledOutcome, settleOutcome } from '../../src/decide/settle-outcome.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { CustomerId, EventId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { decideDeps } from '../support/decide-deps.ts';
import { makeOffer, noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();
let clock = noon;
beforeEach(() => {
  clock = noon;
});

const amountOff = (offerId: string, amountMinor: number, more: object = {}) =>
  makeOffer({ offerId, benefit: { kind: 'amountOff', amountMinor }, ...more });

/** A shop of the test's own, or one of before with other offers. */
function shopOf(
  offers: ReturnType<typeof makeOffer>[],
  policy: object = {},
  keys = createKeys(`${prefix}:${randomUUID()}`),
) {
  const parsed = DecisionPolicy.parse({ exploration: { method: 'none' }, ...policy });
  const deps = decideDeps(redis, keys, { offers, now: () => clock, policy: parsed });
  const offer = (offerId: string) => offers.find((one) => one.offerId === offerId) ?? amountOff('none', 1);
  return { deps, keys, state: (offerId: string) => deps.budgets.state(offer(offerId), clock) };
}
type Shop = ReturnType<typeof shopOf>;

/** A customer who has ordered for 100.00 and lets the shop write. */
async function customer({ deps }: Shop): Promise<CustomerId> {
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  const common = { customerId, channel: 'web' as const, occurredAt: noon - 9 * dayMs };
  const events = [
    {
      ...common,
      type: 'customerUpdated',
      eventId: EventId.parse('a'),
      attributes: { consent: { email: true } },
    },
    {
      ...common,
      type: 'purchase',
      eventId: EventId.parse('b'),
      lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 10_000 }],
    },
  ] as ShopEvent[];
  await deps.records.apply(
    customerId,
    events.map((event, i) => ({ event, streamId: `1-${i + 1}` })),
  );
  return customerId;
}

const ask = (customerId: CustomerId, more: Partial<DecideRequest> = {}): DecideRequest => ({
  subject: { customerId },
  channel: 'web',
  placements: ['default'],
  campaign: undefined,
  limit: 1,
  context: noContext,
  ...more,
});

async function decided(request: DecideRequest, { deps }: Shop): Promise<LoggedDecision> {
  const logged = loggedForm((await decide(request, deps)).decision);
  if (logged === undefined) throw new Error('the decision has no id');
  return logged;
}
const idsOf = ({ placements }: Pick<LoggedDecision, 'placements'>) =>
  placements.map(({ offers }) => offers.map(({ offerId }) => offerId as string));
const reasons = ({ excluded }: Pick<LoggedDecision, 'excluded'>) =>
  Object.fromEntries(excluded.map(({ offerId, reasonCode }) => [offerId, reasonCode]));

async function settle(decision: LoggedDecision, settled: SettledOutcome, { deps }: Shop) {
  const made = decision.placements[0]?.offers[0];
  if (made === undefined) throw new Error('the decision made no offer');
  return settleOutcome(decision, made, settled, deps.market.known(), deps);
}

test('a decision reserves the most that each of its offers can cost, a dry run nothing', async () => {
  const shop = shopOf([amountOff('five', 500, { budget: { amountMinor: 1200 } })]);
  const one = await customer(shop);
  expect(idsOf(await decideDry(ask(one), shop.deps))).toEqual([['five']]);
  expect(await shop.state('five')).toMatchObject({ reservedMinor: 0, reservedCount: 0 });
  const decision = await decided(ask(one), shop);
  expect(idsOf(decision)).toEqual([['five']]);
  expect(await shop.state('five')).toMatchObject({ reservedMinor: 500, reservedCount: 1 });
});

test('where the budget is used up the next best offer is made, and the reason is told', async () => {
  const shop = shopOf([
    amountOff('five', 500, { budget: { count: 2 } }),
    amountOff('ten', 700, { budget: { count: 1 } }),
    amountOff('fifteen', 900),
  ]);
  const made: string[] = [];
  // Within the second in which the budgets are not read again: the ledger itself refuses.
  for (let n = 0; n < 5; n++) made.push(...idsOf(await decided(ask(await customer(shop)), shop)).flat());
  expect(made).toEqual(['five', 'five', 'ten', 'fifteen', 'fifteen']);
  const last = await decided(ask(await customer(shop)), shop);
  expect(reasons(last)).toEqual({ five: 'budget-exhausted', ten: 'budget-exhausted' });
  // What is known before the drawing leaves the probability what it is.
  expect(last.placements[0]?.loggingPropensity).toBe(1);
  // What was left when it was read is logged, and that the ledger knew better.
  const level = (offerId: string, count: number, at: number) => ({
    offerId,
    at: new Date(at).toISOString(),
    period: 'total',
    remains: { amountMinor: null, count },
    availableNow: { amountMinor: null, count },
  });
  expect(last.inputs?.budgets).toEqual([
    { ...level('five', 2, clock), refusedSince: true },
    { ...level('ten', 1, clock), refusedSince: true },
  ]);
  clock += 1000;
  const later = await decided(ask(await customer(shop)), shop);
  expect(later.inputs?.budgets).toEqual([level('five', 0, clock), level('ten', 0, clock)]);
  expect((await decided(ask(await customer(shop)), shopOf([]))).inputs).not.toHaveProperty('budgets');
});

test('a paced budget says so', async () => {
  const shop = shopOf([amountOff('five', 500, { budget: { count: 2, period: 'day', pacing: 'even' } })]);
  expect(idsOf(await decided(ask(await customer(shop)), shop))).toEqual([['five']]);
  const second = await decided(ask(await customer(shop)), shop);
  expect(reasons(second)).toEqual({ five: 'budget-paced' });
});

test('many at once never reserve more than the budget, and use all of it', async () => {
  const shop = shopOf([amountOff('five', 500, { budget: { count: 7 } }), amountOff('ten', 1000)]);
  const customers = await Promise.all(Array.from({ length: 30 }, () => customer(shop)));
  const decisions = await Promise.all(customers.map((one) => decided(ask(one), shop)));
  const made = decisions.map((decision) => idsOf(decision)[0]?.[0]);
  expect(made.filter((offerId) => offerId === 'five')).toHaveLength(7);
  expect(made.filter((offerId) => offerId === 'ten')).toHaveLength(23);
  expect(await shop.state('five')).toMatchObject({ reservedCount: 7 });
});

test('what a customer has already is made again as the same offer, and takes no further budget', async () => {
  const shop = shopOf([amountOff('five', 500, { budget: { count: 1 } }), amountOff('ten', 1000)]);
  const one = await customer(shop);
  const first = await decided(ask(one), shop);
  clock += dayMs;
  const again = await decided(ask(one), shop);
  expect(again.placements[0]?.offers[0]).toMatchObject({
    offerId: 'five',
    heldSince: first.decisionId,
    redeemableUntil: first.placements[0]?.offers[0]?.redeemableUntil,
  });
  expect(reasons(again)).toEqual({ ten: 'discount-open' });
  expect(await shop.state('five')).toMatchObject({ reservedCount: 1 });
  // Redeemed by the second decision, it is the first one's reservation that is confirmed.
  expect(await settle(again, { outcome: 'redeemed', at: clock, costMinor: 450 }, shop)).toBe('confirmed');
  expect(await shop.state('five')).toMatchObject({
    reservedCount: 0,
    confirmedCount: 1,
    confirmedMinor: 450,
  });
});

test('what a customer has already and has become dearer takes the rest too, or is not made again', async () => {
  const five = (amountMinor: number) => amountOff('five', amountMinor, { budget: { amountMinor: 1000 } });
  const shop = shopOf([five(500)]);
  const one = await customer(shop);
  const first = await decided(ask(one), shop);
  clock += dayMs;
  const dearer = shopOf([five(900)], {}, shop.keys);
  const again = await decided(ask(one), dearer);
  expect(again.placements[0]?.offers[0]).toMatchObject({ offerId: 'five', heldSince: first.decisionId });
  expect(await dearer.state('five')).toMatchObject({ reservedMinor: 900, reservedCount: 1 });

  clock += dayMs;
  const tooDear = shopOf([five(1001)], {}, shop.keys);
  const last = await decided(ask(one), tooDear);
  expect(idsOf(last)).toEqual([[]]);
  expect(reasons(last)).toEqual({ five: 'budget-exhausted' });
  expect(await tooDear.state('five')).toMatchObject({ reservedMinor: 900, reservedCount: 1 });
  // What was made last is in the budget, to the whole.
  expect(await settle(again, { outcome: 'redeemed', at: clock, costMinor: 900 }, dearer)).toBe('confirmed');
  expect(await dearer.state('five')).toMatchObject({ confirmedMinor: 900, unbudgetedMinor: 0 });
});

test('what nobody redeems comes back when it can no longer be told of', async () => {
  const shop = shopOf([amountOff('five', 500, { budget: { count: 1 }, redeemWithinDays: 2 })]);
  await decided(ask(await customer(shop)), shop);
  clock += 2 * dayMs + reportingMs - 1;
  expect(await shop.state('five')).toMatchObject({ reservedCount: 1 });
  clock += 1;
  expect(idsOf(await decided(ask(await customer(shop)), shop))).toEqual([['five']]);
});

test('many at once for one customer agree on one discount', async () => {
  const offers = ['a', 'b', 'c'].map((id) => amountOff(id, 500, { channels: ['web'], placements: [id] }));
  const shop = shopOf(offers);
  const one = await customer(shop);
  const decisions = await Promise.all(
    ['a', 'b', 'c', 'a', 'b', 'c'].map((place) => decided(ask(one, { placements: [place] }), shop)),
  );
  const made = new Set(decisions.flatMap((decision) => idsOf(decision).flat()));
  expect(made.size).toBe(1);
});

test('where a cap names the web, each page that shows an offer counts', async () => {
  const shop = shopOf([amountOff('five', 500)], {
    contact: { caps: [{ channels: ['web'], times: 2, days: 1 }] },
  });
  const one = await customer(shop);
  const pages = [];
  for (let page = 0; page < 3; page++) {
    pages.push(await decided(ask(one), shop));
    clock += 1000;
  }
  expect(pages.map((page) => idsOf(page).flat())).toEqual([['five'], ['five'], []]);
  expect(reasons(pages[2] as LoggedDecision)).toEqual({ five: 'contact-cap' });
});

describe('contacts by e-mail', () => {
  const capped = { contact: { caps: [{ channels: ['email'], times: 1, days: 7 }], minGapHours: 0 } };
  const email = (customerId: CustomerId, campaign: string, placement = 'top') =>
    ask(customerId, { channel: 'email', campaign, placements: [placement] });

  test('are counted when they are decided, however many at once', async () => {
    const shop = shopOf([amountOff('five', 500)], capped);
    const one = await customer(shop);
    const decisions = await Promise.all(
      ['june', 'july', 'august'].map((campaign) => decided(email(one, campaign), shop)),
    );
    expect(decisions.filter((decision) => idsOf(decision)[0]?.length === 1)).toHaveLength(1);
    const refused = decisions.filter((decision) => idsOf(decision)[0]?.length === 0);
    for (const decision of refused) expect(reasons(decision)).toEqual({ five: 'contact-cap' });
  });

  test('of one campaign are one contact within a day, whatever places it has', async () => {
    const shop = shopOf(
      [
        amountOff('five', 500),
        makeOffer({ offerId: 'gift', benefit: { kind: 'gift', costMinor: 300 }, placements: ['end'] }),
      ],
      capped,
    );
    const one = await customer(shop);
    expect(idsOf(await decided(email(one, 'june'), shop))).toEqual([['five']]);
    expect(idsOf(await decided(email(one, 'june', 'end'), shop))).toEqual([['five']]);
    expect(reasons(await decided(email(one, 'july'), shop))).toMatchObject({ five: 'contact-cap' });
    clock += dayMs;
    expect(reasons(await decided(email(one, 'june'), shop))).toMatchObject({ five: 'contact-cap' });
    clock += 7 * dayMs;
    expect(idsOf(await decided(email(one, 'june'), shop))).toEqual([['five']]);
  });
});

describe('outcomes', () => {
  async function made(more: object = {}) {
    const shop = shopOf([amountOff('five', 500, { budget: { amountMinor: 1000 }, ...more })]);
    const one = await customer(shop);
    return { shop, one, decision: await decided(ask(one), shop) };
  }

  test('a dismissal gives the budget back, once, and is known to the contacts', async () => {
    const { shop, one, decision } = await made();
    expect(await settle(decision, { outcome: 'viewed', at: clock }, shop)).toBeUndefined();
    expect(await settle(decision, { outcome: 'dismissed', at: clock }, shop)).toBe('released');
    expect(await settle(decision, { outcome: 'dismissed', at: clock }, shop)).toBe('released');
    expect(await shop.state('five')).toMatchObject({ reservedMinor: 0, reservedCount: 0 });
    expect((await shop.deps.contacts.read(one)).history).toMatchObject([{ state: 'dismissed' }]);
  });

  test('a redemption costs what it is told to, else what the benefit costs on the order, once', async () => {
    const { shop, decision } = await made();
    expect(await settle(decision, { outcome: 'redeemed', at: clock, valueMinor: 300 }, shop)).toBe(
      'confirmed',
    );
    expect(await settle(decision, { outcome: 'redeemed', at: clock, valueMinor: 900 }, shop)).toBe(
      'repeated',
    );
    expect(await shop.state('five')).toMatchObject({
      reservedMinor: 0,
      confirmedMinor: 300,
      confirmedCount: 1,
    });
  });

  test('told too late, it takes budget if there is some; what there is not is counted apart', async () => {
    const { shop, decision } = await made({ redeemWithinDays: 1 });
    const other = await decided(ask(await customer(shop)), shop);
    clock += 30 * dayMs;
    for (let n = 0; n < 2; n++) await decided(ask(await customer(shop)), shop);
    expect(await settle(decision, { outcome: 'redeemed', at: clock, costMinor: 500 }, shop)).toBe(
      'unbudgeted',
    );
    expect(await settle(other, { outcome: 'redeemed', at: clock, costMinor: 500 }, shop)).toBe('unbudgeted');
    expect(await shop.state('five')).toMatchObject({
      reservedMinor: 1000,
      confirmedMinor: 0,
      unbudgetedMinor: 1000,
    });
  });

  test('a call has cost what it costs, whatever the customer says to it', async () => {
    const { shop, decision } = await made();
    const benefit = { kind: 'serviceContact' as const, form: 'call' as const, costMinor: 400 };
    const [place] = decision.placements;
    const offer = place?.offers[0];
    if (place === undefined || offer === undefined) throw new Error('the decision made no offer');
    const call = { ...offer, benefit, terms: undefined };
    const settled = await settleOutcome(
      decision,
      call,
      { outcome: 'dismissed', at: clock },
      shop.deps.market.known(),
      shop.deps,
    );
    expect(settled).toBe('confirmed');
    expect(await shop.state('five')).toMatchObject({ reservedMinor: 0, confirmedMinor: 400 });
  });
});
