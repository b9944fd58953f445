import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import { type DecideRequest, decide, noContext } from '../../src/decide/decide.ts';
import { type LoggedDecision, loggedForm } from '../../src/decide/decision-log.ts';
import { sentContact } from '../../src/decide/ledger/sent-contact.ts';
import { purchaseId } from '../../src/decide/redeeming-purchase.ts';
import { settleOutcome, settleRepeated } from '../../src/decide/settle-outcome.ts';
import { standingDecision } from '../../src/decide/standing-decision.ts';
import { toldUntil } from '../../src/decide/told-until.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { CustomerId, SessionId } from '../../src/domain/ids.ts';
import type { OfferOutcome } from '../../src/domain/offer.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { readEntries } from '../../src/history/event-stream.ts';
import type { Lake } from '../../src/history/lake.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { rebuildLedgers } from '../../src/train/rebuild-ledgers.ts';
import { decideDeps } from '../support/decide-deps.ts';
import { testLake } from '../support/lake.ts';
import { makeOffer, noon } from '../support/offers.ts';
import { keysMatching, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();
let clock = noon;
beforeEach(() => {
  clock = noon;
});

const days = 25;
const policy = DecisionPolicy.parse({
  exploration: { method: 'epsilonGreedy', epsilon: 0.9, maxCostMinorPerDay: 1_000_000_000 },
  contact: {
    caps: [{ channels: ['email'], times: 6, days: 7 }],
    minGapHours: 0,
    dismissals: { times: 50, withinDays: 1, suppressDays: 1 },
    oneDiscountAtATime: false,
  },
});
const amountOff = (offerId: string, amountMinor: number, more: object) =>
  makeOffer({ offerId, benefit: { kind: 'amountOff', amountMinor }, ...more });
const ample = amountOff('ample', 300, { redeemWithinDays: 2, budget: { amountMinor: 10_000_000 } });
const offers = [
  ample,
  amountOff('daily', 400, { budget: { amountMinor: 2000, count: 4, period: 'day' } }),
  amountOff('weekly', 200, { redeemWithinDays: 5, budget: { count: 12, period: 'week', pacing: 'even' } }),
  makeOffer({
    offerId: 'gift',
    benefit: { kind: 'gift', costMinor: 250 },
    caps: [{ of: 'redeemed', times: 2, days: 30 }],
    budget: { amountMinor: 50_000, period: 'month' },
  }),
  makeOffer({
    offerId: 'call',
    benefit: { kind: 'serviceContact', costMinor: 90 },
    redeemWithinDays: 3,
    budget: { amountMinor: 1_000_000 },
  }),
  makeOffer({ offerId: 'unbounded', benefit: { kind: 'percentOff', percent: 5 } }),
  makeOffer({ offerId: 'banner', benefit: { kind: 'content' }, fallback: true }),
];

function shop() {
  const keys = createKeys(`${prefix}:${randomUUID()}`);
  const rng = createRng(1, 'shop');
  const deps = decideDeps(redis, keys, { offers, policy, now: () => clock, random: () => rng.next() });
  return { keys, deps };
}
type Shop = ReturnType<typeof shop>;

/** Weeks of decisions on a few customers and a guest, and of what they made of them. */
async function live({ deps, keys }: Shop, seed: number) {
  const rng = createRng(seed, 'live');
  const customers = Array.from({ length: 12 }, (_, i) => CustomerId.parse(`c${i}`));
  const events: ShopEvent[] = [];
  const open: LoggedDecision[] = [];
  let next = 0;
  const apply = async (customerId: CustomerId, event: object) => {
    const whole = {
      eventId: `e${next++}`,
      channel: 'web',
      occurredAt: clock,
      customerId,
      ...event,
    } as ShopEvent;
    await deps.records.apply(customerId, [{ event: whole, streamId: `1-${next}` }]);
    events.push(whole);
  };
  for (const customerId of customers) {
    await apply(customerId, { type: 'customerUpdated', attributes: { consent: { email: true } } });
    await apply(customerId, {
      type: 'purchase',
      lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 10_000 }],
    });
  }
  const request = (subject: DecideRequest['subject']): Omit<DecideRequest, 'placements'> => ({
    subject,
    channel: rng.next() < 0.5 ? 'web' : 'email',
    campaign: rng.next() < 0.5 ? undefined : `campaign-${Math.floor(clock / (3 * dayMs))}`,
    limit: 1 + rng.nextInt(2),
    context: { itemIds: [], basketMinor: 10_000 },
  });
  const step = async () => {
    const customerId = customers[rng.nextInt(customers.length)] as CustomerId;
    const turn = rng.next();
    if (turn < 0.15) await standingDecision({ ...request({ customerId }), placement: 'hero' }, deps);
    else if (turn < 0.5) {
      const subject = turn < 0.2 ? { sessionId: SessionId.parse('guest') } : { customerId };
      const made = loggedForm(
        (await decide({ ...request(subject), placements: ['hero', 'foot'] }, deps)).decision,
      );
      if (made === undefined) throw new Error('not logged');
      open.push(made);
    } else if (turn < 0.54) {
      await apply(customerId, { type: 'contact', complaint: 'opened' });
      await standingDecision({ ...request({ customerId }), placement: 'hero' }, deps);
      await apply(customerId, { type: 'contact', complaint: 'resolved' });
    } else if (open.length > 0) await answer(open[rng.nextInt(open.length)] as LoggedDecision);
  };
  async function answer(decision: LoggedDecision) {
    const all = decision.placements.flatMap(({ offers: made, fallback }) => (fallback ? [] : made));
    const made = all[rng.nextInt(Math.max(1, all.length))];
    if (made === undefined) return;
    // Late ones are for a budget that has enough: when nothing is left is told by the order in which they come.
    if (made.offerId !== ample.offerId && Date.parse(made.redeemableUntil ?? '') < clock) return;
    const outcome = (['viewed', 'clicked', 'redeemed', 'redeemed', 'dismissed'] as const)[
      rng.nextInt(5)
    ] as OfferOutcome;
    const costMinor = rng.next() < 0.5 ? rng.nextInt(500) : undefined;
    const told = { outcome, at: clock, ...(costMinor !== undefined && { costMinor }) };
    await settleOutcome(decision, made, told, deps.market.known(), deps);
    const { customerId, sessionId, decisionId } = decision;
    events.push({
      type: 'offerOutcome',
      eventId: `o${next++}`,
      ...(customerId === undefined ? { sessionId } : { customerId }),
      channel: 'web',
      occurredAt: clock,
      decisionId,
      offerId: made.offerId,
      outcome,
      ...(costMinor !== undefined && { costMinor }),
    } as ShopEvent);
  }
  while (clock < noon + days * dayMs) {
    await step();
    clock += rng.nextInt(3 * hourMs);
  }
  const standing = (await readEntries(redis, keys, '0-0', 100_000)).flatMap(({ entry }) =>
    entry?.kind === 'decision' ? [entry.decision] : [],
  );
  return {
    subjects: [...customers, 'session:guest'],
    events,
    decisions: [...open, ...standing] as LoggedDecision[],
  };
}

async function save(lake: Lake, name: string, { events, decisions }: Awaited<ReturnType<typeof live>>) {
  const catalogue = offers.map((offer) => ({ kind: 'offer' as const, at: noon - dayMs, offer }));
  // Twice, as the log may hold them.
  await writeEntries(lake, name, { events, catalogue, decisions: [...decisions, ...decisions.slice(0, 20)] });
}

/** All that the ledgers hold, once what has lapsed is gone. */
async function ledgersOf({ deps, keys }: Shop, subjects: readonly string[]) {
  const budgets: Record<string, unknown> = {};
  for (const offer of offers) {
    if (offer.budget === undefined) continue;
    await deps.budgets.state(offer, clock);
    const periods = (
      await keysMatching(redis, `${keys.budgetPeriods(offer.offerId).replace(/[{}]/g, '?')}*`)
    ).sort();
    for (const key of periods) {
      const sums = await redis.hgetall(key);
      const name = key.slice(keys.budgetPeriods(offer.offerId).length);
      const used = Object.entries(sums).filter(([, value]) => value !== '0');
      if (used.length > 0) budgets[`${offer.offerId} ${name}`] = Object.fromEntries(used);
    }
    budgets[`${offer.offerId} entries`] = await redis.hgetall(keys.budgetReservations(offer.offerId));
    budgets[`${offer.offerId} due`] = await redis.zrange(
      keys.budgetDue(offer.offerId),
      '0',
      '-1',
      'WITHSCORES',
    );
  }
  const contacts: Record<string, unknown> = {};
  for (const subject of subjects) {
    await deps.contacts.update(subject, (history) => [...history], clock);
    const { history } = await deps.contacts.read(subject);
    contacts[subject] = [...history].sort((a, b) => a.at - b.at);
  }
  return { budgets, contacts };
}

async function wipe({ keys }: Shop, subjects: readonly string[]) {
  for (const { offerId } of offers) {
    const periods = await keysMatching(redis, `${keys.budgetPeriods(offerId).replace(/[{}]/g, '?')}*`);
    await redis.del(keys.budgetReservations(offerId), keys.budgetDue(offerId), ...periods);
  }
  for (const subject of subjects) await redis.del(keys.contacts(subject));
}

const rebuild = (lake: Lake, { deps, keys }: Shop) =>
  rebuildLedgers({ lake, redis, keys, contacts: deps.contacts, policy, currency: 'EUR', now: clock });

test('ledgers that were lost are as they were, and stay so when they are rebuilt again', async () => {
  const lake = await testLake();
  const one = shop();
  const lived = await live(one, 1);
  await save(lake, 'all', lived);
  const before = await ledgersOf(one, lived.subjects);
  // There is something to lose, of every kind.
  const entries = Object.entries(before.budgets).filter(([name]) => name.endsWith('entries'));
  const states = entries.flatMap(([, all]) =>
    Object.values(all as Record<string, string>).map((entry) => entry[0]),
  );
  expect(new Set(states)).toEqual(new Set(['r', 'p', 'c']));
  expect(lived.decisions.some(({ replaces }) => replaces !== undefined)).toBe(true);

  await wipe(one, lived.subjects);
  expect((await ledgersOf(one, lived.subjects)).contacts.c0).toEqual([]);
  expect(await rebuild(lake, one)).toMatchObject({ budgets: 5, customers: lived.subjects.length });
  expect(await ledgersOf(one, lived.subjects)).toEqual(before);
  await rebuild(lake, one);
  expect(await ledgersOf(one, lived.subjects)).toEqual(before);
});

test('what was decided and told since, and is not in the lake yet, is carried over', async () => {
  const lake = await testLake();
  const one = shop();
  const lived = await live(one, 2);
  await save(lake, 'all', lived);
  const asked = (customer: string): DecideRequest => ({
    subject: { customerId: CustomerId.parse(customer) },
    channel: 'web',
    placements: ['hero', 'foot', 'side'],
    campaign: undefined,
    limit: 3,
    context: noContext,
  });
  await wipe(one, lived.subjects);
  // The shop goes on with the empty ledgers.
  const since: LoggedDecision[] = [];
  for (const customer of ['c0', 'c1', 'c2']) {
    const decision = loggedForm((await decide(asked(customer), one.deps)).decision);
    if (decision !== undefined) since.push(decision);
  }
  const [told] = since;
  const made = told?.placements.flatMap(({ offers: all, fallback }) => (fallback ? [] : all));
  for (const offer of made ?? [])
    await settleOutcome(told!, offer, { outcome: 'redeemed', at: clock }, one.deps.market.known(), one.deps);
  expect(made?.length).toBeGreaterThan(0);
  await rebuild(lake, one);
  const carried = await ledgersOf(one, lived.subjects);

  // As if the lake had told of them all.
  const two = { ...one, keys: one.keys };
  await wipe(two, lived.subjects);
  const outcomes = (made ?? []).map(
    ({ offerId }, i): ShopEvent =>
      ({
        type: 'offerOutcome',
        eventId: `since-${i}`,
        customerId: told?.customerId,
        channel: 'web',
        occurredAt: clock,
        decisionId: told?.decisionId,
        offerId,
        outcome: 'redeemed',
      }) as ShopEvent,
  );
  await writeEntries(lake, 'since', { events: outcomes, catalogue: [], decisions: since });
  await rebuild(lake, two);
  expect(carried).toEqual(await ledgersOf(two, lived.subjects));
});

test('what second purchases with the same offer have cost is counted apart again, each once, the offer named with its decision or not', async () => {
  const lake = await testLake();
  const one = shop();
  const customerId = CustomerId.parse('twice');
  const decided = await decide(
    {
      subject: { customerId },
      channel: 'web',
      placements: ['hero'],
      campaign: undefined,
      limit: 5,
      context: { itemIds: [], basketMinor: 10_000 },
    },
    one.deps,
  );
  const decision = loggedForm(decided.decision);
  const made = decision?.placements[0]?.offers.find(({ offerId }) => offerId === ample.offerId);
  if (decision === undefined || made === undefined) throw new Error('no offer was made');
  const { offerId } = made;
  clock += hourMs;
  await settleOutcome(decision, made, { outcome: 'redeemed', at: clock }, one.deps.market.known(), one.deps);
  const outcome = { type: 'offerOutcome', decisionId: decision.decisionId, offerId, outcome: 'redeemed' };
  const events: object[] = [{ ...outcome, eventId: 'o-1', occurredAt: clock }];
  const lines = [
    { itemId: 'tea', quantity: 2, unitPriceMinor: 100 },
    { itemId: 'cup', quantity: 1, unitPriceMinor: 50, discountMinor: 20 },
  ];
  const purchases = [
    { orderId: 'first', redeemed: [{ offerId, decisionId: decision.decisionId }] },
    { orderId: 'first', redeemed: [{ offerId }] },
    { orderId: 'second', redeemed: [{ offerId }] },
    { orderId: 'second', redeemed: [{ offerId }] },
    { orderId: undefined, redeemed: [{ offerId, decisionId: decision.decisionId, costMinor: 77 }] },
    { orderId: 'of-another-decision', redeemed: [{ offerId, decisionId: 'unknown' }, { offerId: 'weekly' }] },
  ];
  for (const [n, { orderId, redeemed }] of purchases.entries()) {
    const eventId = `p-${n}`;
    events.push({ type: 'purchase', eventId, occurredAt: clock + n, orderId, lines, redeemed });
    if (n < 2 || n > 4) continue;
    const told = {
      holder: decision.decisionId,
      purchase: purchaseId(orderId, eventId),
      valueMinor: 230,
      costMinor: n === 4 ? 77 : undefined,
    };
    await settleRepeated(decision, made, told, one.deps.market.known(), one.deps);
  }
  const shared = { customerId, channel: 'web' };
  const whole = events.map((event) => ({ ...shared, ...event }) as ShopEvent);
  // An event may stand in the lake twice.
  await save(lake, 'all', { subjects: [customerId], events: [...whole, ...whole], decisions: [decision] });
  const before = await ledgersOf(one, [customerId]);
  // Of an order of 2.30, the three that are taken off cost no more than that.
  expect(before.budgets['ample total']).toMatchObject({
    unbudgetedMinor: String(230 + 77),
    unbudgetedCount: '2',
  });
  await wipe(one, [customerId]);
  for (let time = 0; time < 2; time++) {
    expect(await rebuild(lake, one)).toMatchObject({ purchases: 6 });
    expect(await ledgersOf(one, [customerId])).toEqual(before);
  }
});

test('an offer that became dearer while a customer had it is out at what it may cost her, told of in the lake or not', async () => {
  const lake = await testLake();
  const keys = createKeys(`${prefix}:${randomUUID()}`);
  const at = (amountMinor: number) => {
    const dear = amountOff('dear', amountMinor, { budget: { amountMinor: 5000 } });
    return { dear, deps: decideDeps(redis, keys, { offers: [dear], policy: still, now: () => clock }) };
  };
  const still = DecisionPolicy.parse({ ...policy, exploration: { method: 'none' } });
  const request: DecideRequest = {
    subject: { customerId: CustomerId.parse('holder') },
    channel: 'web',
    placements: ['hero'],
    campaign: undefined,
    limit: 1,
    context: { itemIds: [], basketMinor: 10_000 },
  };
  const decided = async (deps: ReturnType<typeof at>['deps']) => {
    const made = loggedForm((await decide(request, deps)).decision);
    if (made === undefined) throw new Error('not logged');
    return made;
  };
  const [before, after] = [at(300), at(500)];
  const first = await decided(before.deps);
  const state = () => after.deps.budgets.state(after.dear, clock);
  const rebuilt = async () => {
    const { contacts } = after.deps;
    await rebuildLedgers({ lake, redis, keys, contacts, policy: still, currency: 'EUR', now: clock });
    return await state();
  };
  const saved = [{ kind: 'offer' as const, at: noon, offer: after.dear }];
  await writeEntries(lake, 'first', { events: [], catalogue: saved, decisions: [first] });
  clock += hourMs;
  const again = await decided(after.deps);
  expect(again.placements[0]?.offers[0]?.heldSince).toBe(first.decisionId);
  expect(await rebuilt()).toMatchObject({ reservedMinor: 500, reservedCount: 1 });
  await writeEntries(lake, 'again', { events: [], catalogue: [], decisions: [again] });
  await redis.del(keys.budgetReservations('dear'), keys.budgetDue('dear'));
  expect(await rebuilt()).toMatchObject({ reservedMinor: 500, reservedCount: 1 });
});

test('each counts in the period that the budget had when it was reserved or told, whatever its period is now', async () => {
  const lake = await testLake();
  const keys = createKeys(`${prefix}:${randomUUID()}`);
  const still = DecisionPolicy.parse({ ...policy, exploration: { method: 'none' } });
  const every = (period: string) =>
    amountOff('changed', 300, { redeemWithinDays: 10, budget: { amountMinor: 5000, period } });
  const withPeriod = (period: string) => {
    const offer = every(period);
    const deps = decideDeps(redis, keys, { offers: [offer], policy: still, now: () => clock });
    const told = async (decision: LoggedDecision) => {
      const made = decision.placements[0]?.offers[0];
      if (made === undefined) throw new Error('no offer was made');
      const settled = { outcome: 'redeemed' as const, at: clock, costMinor: 120 };
      await settleOutcome(decision, made, settled, deps.market.known(), deps);
      const { customerId, decisionId } = decision;
      const { offerId } = made;
      const event = { type: 'offerOutcome', eventId: `o-${outcomes.length}`, customerId, channel: 'web' };
      outcomes.push({ ...event, occurredAt: clock, decisionId, offerId, ...settled } as unknown as ShopEvent);
    };
    const decided = async (customer: string) => {
      const request: DecideRequest = {
        subject: { customerId: CustomerId.parse(customer) },
        channel: 'web',
        placements: ['hero'],
        campaign: undefined,
        limit: 1,
        context: { itemIds: [], basketMinor: 10_000 },
      };
      const made = loggedForm((await decide(request, deps)).decision);
      if (made === undefined) throw new Error('not logged');
      decisions.push(made);
      return made;
    };
    return { offer, deps, decided, told };
  };
  const outcomes: ShopEvent[] = [];
  const decisions: LoggedDecision[] = [];
  const [daily, monthly] = [withPeriod('day'), withPeriod('month')];
  const lapsed = await daily.decided('tells-late');
  clock += 5 * dayMs;
  await daily.decided('waits');
  await daily.told(await daily.decided('redeems'));
  const open = await daily.decided('redeems-later');
  const changedAt = clock + hourMs;
  clock += 2 * dayMs;
  await monthly.told(open);
  await monthly.told(await monthly.decided('redeems-now'));
  clock = noon + 14 * dayMs;
  // Its reservation is given back: it takes budget anew, as it is by now.
  await monthly.deps.budgets.state(monthly.offer, clock);
  await monthly.told(lapsed);

  const read = async () => {
    await monthly.deps.budgets.state(monthly.offer, clock);
    const start = keys.budgetPeriods('changed');
    const periods = await keysMatching(redis, `${start.replace(/[{}]/g, '?')}*`);
    const sums = await Promise.all(
      periods.sort().map(async (key) => [key.slice(start.length), await redis.hgetall(key)] as const),
    );
    return {
      sums: sums.map(([name, all]) => [name, all.confirmedMinor ?? '0', all.reservedMinor ?? '0']),
      entries: await redis.hgetall(keys.budgetReservations('changed')),
    };
  };
  const before = await read();
  expect(before.sums).toEqual([
    ['day:2026-06-15', '0', '0'],
    ['day:2026-06-20', '240', '300'],
    ['month:2026-06-01', '240', '0'],
  ]);
  await writeEntries(lake, 'all', {
    events: outcomes,
    catalogue: [
      { kind: 'offer', at: noon - dayMs, offer: every('day') },
      { kind: 'offer', at: changedAt, offer: every('month') },
    ],
    decisions,
  });
  for (const key of await keysMatching(redis, `${keys.budgetPeriods('changed').replace(/[{}]/g, '?')}*`))
    await redis.del(key);
  await redis.del(keys.budgetReservations('changed'), keys.budgetDue('changed'));
  const { contacts } = monthly.deps;
  await rebuildLedgers({ lake, redis, keys, contacts, policy: still, currency: 'EUR', now: clock });
  const { sums, entries } = await read();
  expect({ sums, entries }).toEqual({ ...before, sums: before.sums.slice(1) });
});

test('a redemption that was refused because it was told of too late counts no more than it did, nor does its purchase', async () => {
  const one = shop();
  const customerId = CustomerId.parse('late');
  const request: DecideRequest = {
    subject: { customerId },
    channel: 'web',
    placements: ['hero'],
    campaign: undefined,
    limit: 5,
    context: { itemIds: [], basketMinor: 10_000 },
  };
  const decision = loggedForm((await decide(request, one.deps)).decision);
  const made = decision?.placements[0]?.offers.find(({ offerId }) => offerId === ample.offerId);
  if (decision === undefined || made === undefined) throw new Error('no offer was made');
  const { offerId } = made;
  const until = toldUntil(made, noon);
  const shared = { customerId, channel: 'web', occurredAt: noon + hourMs };
  const outcome = (eventId: string, toldAt: number) =>
    ({
      ...shared,
      type: 'offerOutcome',
      eventId,
      toldAt,
      decisionId: decision.decisionId,
      offerId,
      outcome: 'redeemed',
      costMinor: 50,
    }) as unknown as ShopEvent;
  const purchase = (orderId: string, toldAt: number) =>
    ({
      ...shared,
      type: 'purchase',
      eventId: orderId,
      orderId,
      toldAt,
      lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 100 }],
      redeemed: [{ offerId, decisionId: decision.decisionId }],
    }) as unknown as ShopEvent;
  const spent = async (...events: ShopEvent[]) => {
    const lake = await testLake();
    await save(lake, 'all', { subjects: [customerId], events, decisions: [decision] });
    await wipe(one, [customerId]);
    await rebuild(lake, one);
    const { confirmedMinor, unbudgetedMinor } = await one.deps.budgets.state(ample, clock);
    return { confirmedMinor, unbudgetedMinor };
  };
  clock = until - hourMs;
  expect(await spent(outcome('in-time', until - 1))).toEqual({ confirmedMinor: 50, unbudgetedMinor: 0 });
  expect(await spent(outcome('too-late', until))).toEqual({ confirmedMinor: 0, unbudgetedMinor: 0 });
  // The order that was told of in time has the offer, though the other was earlier.
  const events = [purchase('a', until), purchase('b', until - 2), outcome('b-redeems', until - 1)];
  expect(await spent(...events)).toEqual({ confirmedMinor: 50, unbudgetedMinor: 0 });
});

test('messages of other tools count again as they did, each once, beside what was decided', async () => {
  const lake = await testLake();
  const one = shop();
  const customerId = CustomerId.parse('c-sent');
  const sent = (eventId: string, campaign: string, daysAgo: number) =>
    ({
      type: 'marketingContact',
      eventId,
      customerId,
      channel: 'email',
      occurredAt: clock - daysAgo * dayMs,
      outcome: 'sent',
      campaign,
    }) as ShopEvent & { type: 'marketingContact' };
  const events = [sent('a', 'may', 9), sent('b', 'june', 2), sent('c', 'june', 1.5), sent('d', 'july', 1)];
  const opened = { ...sent('e', 'august', 1), outcome: 'opened' } as ShopEvent;
  const { contactPolicy } = one.deps.market.known();
  for (const { eventId, channel, campaign, occurredAt: at } of events)
    await one.deps.contacts.update(
      customerId,
      (history) => {
        const contact = sentContact({ eventId, channel, campaign, at }, history, contactPolicy, clock);
        return contact === undefined ? history : [...history, contact];
      },
      clock,
    );
  const { history } = await one.deps.contacts.read(customerId);
  // That of nine days ago no cap counts any more, and the second of a campaign is the same message.
  expect(history.map(({ at }) => (clock - at) / dayMs)).toEqual([2, 1]);

  await writeEntries(lake, 'all', { events: [...events, opened], catalogue: [], decisions: [] });
  await redis.del(one.keys.contacts(customerId));
  for (let time = 0; time < 2; time++) {
    expect(await rebuild(lake, one)).toMatchObject({ messages: 4, customers: 1 });
    expect((await one.deps.contacts.read(customerId)).history).toEqual(history);
  }
});
