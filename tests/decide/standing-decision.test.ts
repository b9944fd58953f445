import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { noContext } from '../../src/decide/decide.ts';
import { LoggedDecision, readOutline, readWaiting } from '../../src/decide/decision-log.ts';
import { settleOutcome } from '../../src/decide/settle-outcome.ts';
import { type StandingRequest, standingDecision } from '../../src/decide/standing-decision.ts';
import { parseStanding, writeStanding } from '../../src/decide/standing-text.ts';
import { standingMs } from '../../src/domain/decision.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { CustomerId, EventId } from '../../src/domain/ids.ts';
import type { Offer } from '../../src/domain/offer.ts';
import { dayMs } from '../../src/domain/time.ts';
import { readEntries } from '../../src/history/event-stream.ts';
import { connectRedis, isCluster } from '../../src/infra/redis.ts';
import type { Models } from '../../src/scoring/served.ts';
import { decideDeps } from '../support/decide-deps.ts';
import { timesMade } from '../support/offer-counts.ts';
import { makeOffer, noon } from '../support/offers.ts';
import { keysMatching, silentLog, testRedis } from '../support/redis.ts';
import { shopChurnModel } from '../support/shop-models.ts';

const { redis, keys, url } = testRedis();
// Another process, as far as Redis can tell.
const otherRedis = connectRedis(url, 'tests-other', { kind: 'patient' }, silentLog);
afterAll(() => otherRedis.disconnect());

const banner = makeOffer({ offerId: 'banner', benefit: { kind: 'content' }, fallback: true });
const offers = [
  makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5 } }),
  makeOffer({ offerId: 'ten', benefit: { kind: 'percentOff', percent: 10 } }),
  banner,
];
let clock = noon;
const now = () => clock;
const one = decideDeps(redis, keys, { offers, now });
const two = decideDeps(otherRedis, keys, { offers: [...offers].reverse(), now });

/** A customer of the test's own who has ordered for 100.00 and lets the shop write. */
async function customer(consent = true): Promise<CustomerId> {
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  const common = { customerId, channel: 'web' as const, occurredAt: noon - dayMs };
  await apply(customerId, [
    {
      ...common,
      type: 'customerUpdated',
      eventId: EventId.parse('a'),
      attributes: { consent: { email: consent } },
    },
    {
      ...common,
      type: 'purchase',
      eventId: EventId.parse('b'),
      lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 10_000 }],
    } as ShopEvent,
  ]);
  return customerId;
}

async function apply(customerId: CustomerId, events: ShopEvent[]): Promise<void> {
  await one.records.apply(
    customerId,
    events.map((event, i) => ({ event, streamId: `1-${i + 1}` })),
  );
}

const ask = (customerId: CustomerId, more: Partial<StandingRequest> = {}): StandingRequest => ({
  subject: { customerId },
  channel: 'email',
  placement: 'default',
  campaign: 'june',
  limit: 1,
  context: noContext,
  ...more,
});
const idsOf = ({ placements }: { placements: { offers: { offerId: string }[] }[] }) =>
  placements.flatMap((place) => place.offers.map((offer) => offer.offerId as string));

async function loggedDecisions(customerId: CustomerId) {
  const entries = await readEntries(redis, keys, '0-0', 10_000);
  return entries.flatMap(({ entry }) =>
    entry?.kind === 'decision' && entry.decision.customerId === customerId ? [entry.decision] : [],
  );
}

test('fifty requests at once, over two processes, get one decision, which is logged and counted once', async () => {
  const customerId = await customer();
  const madeBefore = (await timesMade(redis, keys)).five ?? 0;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => standingDecision(ask(customerId), i % 2 === 0 ? one : two)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0] && idsOf(answers[0])).toEqual(['five']);
  expect(await loggedDecisions(customerId)).toHaveLength(1);
  expect((await timesMade(redis, keys)).five).toBe(madeBefore + 1);
});

test('however many ask at once, over two processes, the offer is reserved and contacted once', async () => {
  const budgeted = makeOffer({
    offerId: 'scarce',
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 1 },
  });
  const [mine, theirs] = [redis, otherRedis].map((client) =>
    decideDeps(client, keys, { offers: [budgeted, banner], now }),
  );
  const customerId = await customer();
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => standingDecision(ask(customerId), i % 2 === 0 ? mine! : theirs!)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0] && idsOf(answers[0])).toEqual(['scarce']);
  expect(await mine!.budgets.state(budgeted, noon)).toMatchObject({ reservedCount: 1 });
  expect((await mine!.contacts.read(customerId)).history).toHaveLength(1);
  // Nothing is left for the next.
  expect(idsOf(await standingDecision(ask(await customer()), theirs!))).toEqual(['banner']);
});

test('while a process that has died holds the decision, nobody waits for it for long, and who reserves nothing not at all', async () => {
  const budgeted = makeOffer({
    offerId: `held-${randomUUID()}`,
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 2 },
  });
  const reserving = decideDeps(otherRedis, keys, { offers: [budgeted, banner], now });
  const customerId = await customer();
  await standingDecision(ask(customerId), one);
  const key = standingKey(await keysOf(customerId));
  await redis.del(key);
  await redis.set(keys.standingLock(key), 'somebody', 'PX', 60_000);
  await expect(standingDecision(ask(customerId), reserving)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  expect(await reserving.budgets.state(budgeted, noon)).toMatchObject({ reservedCount: 0 });
  expect(idsOf(await standingDecision(ask(customerId), two))).toEqual(['five']);
  expect(await redis.get(keys.standingLock(key))).toBe('somebody');
  await redis.del(key, keys.standingLock(key));
  expect(idsOf(await standingDecision(ask(customerId), reserving))).toEqual([budgeted.offerId]);
});

test('who waits for one who holds the decision decides once, not at every look', async () => {
  const budgeted = makeOffer({
    offerId: `waited-${randomUUID()}`,
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 2 },
  });
  const reserving = decideDeps(redis, keys, { offers: [budgeted, banner], now });
  let reads = 0;
  let draws = 0;
  const counting = {
    ...reserving,
    records: {
      ...reserving.records,
      read: (customerId: string) => {
        reads++;
        return reserving.records.read(customerId);
      },
    },
    random: () => {
      draws++;
      return reserving.random();
    },
  };
  await standingDecision(ask(await customer()), counting);
  const ofOneDecision = { reads, draws };
  expect(draws).toBeGreaterThan(0);
  const customerId = await customer();
  await standingDecision(ask(customerId), one);
  const key = standingKey(await keysOf(customerId));
  await redis.del(key);
  await redis.set(keys.standingLock(key), 'somebody', 'PX', 60_000);
  reads = 0;
  draws = 0;
  await expect(standingDecision(ask(customerId), counting)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  expect({ reads, draws }).toEqual(ofOneDecision);
  await redis.del(keys.standingLock(key));
});

test('what somebody who died has reserved is given back, though the next reserves nothing', async () => {
  const budgeted = makeOffer({
    offerId: `left-${randomUUID()}`,
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 1 },
  });
  const reserving = decideDeps(redis, keys, { offers: [budgeted, banner], now });
  const customerId = await customer();
  const dying = {
    ...reserving,
    contacts: {
      ...reserving.contacts,
      prepare: () => {
        throw new Error('killed');
      },
    },
  };
  await expect(standingDecision(ask(customerId), dying)).rejects.toThrow('killed');
  expect(await reserving.budgets.state(budgeted, noon)).toMatchObject({ reservedCount: 1 });
  await apply(customerId, [
    {
      type: 'customerUpdated',
      eventId: EventId.parse('c'),
      customerId,
      channel: 'web',
      occurredAt: noon,
      attributes: { consent: { email: false } },
    } as ShopEvent,
  ]);
  expect(idsOf(await standingDecision(ask(customerId), reserving))).toEqual(['banner']);
  expect(await reserving.budgets.state(budgeted, noon)).toMatchObject({ reservedCount: 0 });
  expect(idsOf(await standingDecision(ask(await customer()), reserving))).toEqual([budgeted.offerId]);
});

test('the answer stays the same while customer and offers change, until the window ends', async () => {
  const customerId = await customer();
  const first = await standingDecision(ask(customerId), one);
  expect(first.standsUntil).toBe(new Date(noon + standingMs).toISOString());
  const changed = decideDeps(redis, keys, {
    now,
    offers: [...offers, makeOffer({ offerId: 'one', benefit: { kind: 'percentOff', percent: 1 } })],
  });
  expect(await standingDecision(ask(customerId), changed)).toEqual(first);
  expect(await redis.pttl(standingKey(await keysOf(customerId)))).toBeLessThanOrEqual(standingMs);
  await redis.del(await keysOf(customerId));
  expect(idsOf(await standingDecision(ask(customerId), changed))).toEqual(['one']);
});

/** The keys of standing decisions of a customer. */
async function keysOf(customerId: CustomerId): Promise<string[]> {
  const all = await keysMatching(redis, `${keys.standingDecision(customerId, '').replace(/[{}]/g, '?')}*`);
  return all.filter((key) => /decision:[^:]+$/.test(key));
}
const standingKey = (all: string[]): string => {
  if (all.length !== 1 || all[0] === undefined) throw new Error(`one key was expected, not ${all.length}`);
  return all[0];
};

test('each channel, campaign and placement has a decision of its own', async () => {
  const customerId = await customer();
  const requests = [
    {},
    { campaign: 'july' },
    { campaign: undefined },
    { placement: 'top' },
    { channel: 'web' as const },
  ];
  const answers = [];
  for (const more of requests) answers.push(await standingDecision(ask(customerId, more), one));
  expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(requests.length);
});

test('a smaller limit shortens the answer that stands; a larger one does not lengthen it', async () => {
  const customerId = await customer();
  expect(idsOf(await standingDecision(ask(customerId, { limit: 2 }), one))).toEqual(['five', 'ten']);
  expect(idsOf(await standingDecision(ask(customerId, { limit: 1 }), one))).toEqual(['five']);
  expect(idsOf(await standingDecision(ask(customerId, { limit: 10 }), one))).toEqual(['five', 'ten']);
});

test('a decision does not outlive an offer that it makes', async () => {
  const validTo = new Date(noon + 3_600_000).toISOString();
  const ending = makeOffer({ offerId: 'ending', benefit: { kind: 'percentOff', percent: 1 }, validTo });
  const deps = decideDeps(redis, keys, { offers: [ending], now });
  const customerId = await customer();
  expect((await standingDecision(ask(customerId), deps)).standsUntil).toBe(validTo);
  expect(await redis.pttl(standingKey(await keysOf(customerId)))).toBeLessThanOrEqual(3_600_000);
});

describe('what the customer has said since', () => {
  const call = makeOffer({
    offerId: 'call',
    benefit: { kind: 'serviceContact', form: 'call', costMinor: 1 },
  });
  const scarce = makeOffer({
    offerId: 'scarce',
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 1 },
    priorityLever: 50,
  });
  const churn = {
    model: shopChurnModel(),
    version: 'v1',
    trainedAt: undefined,
  } as unknown as NonNullable<Models['churn']>;
  const models = { collaborative: undefined, churn, customerValue: undefined, offers: undefined };
  /** Of a process of its own, each with budgets of their own. */
  const shop = (more: Offer[] = []) => {
    const own = makeOffer({ ...scarce, offerId: `scarce-${randomUUID()}` });
    return { own, deps: decideDeps(redis, keys, { offers: [own, banner, ...more], models, now }) };
  };
  const tells = (customerId: CustomerId, event: object): ShopEvent =>
    ({
      eventId: EventId.parse(randomUUID()),
      customerId,
      channel: 'web',
      occurredAt: noon + 1000,
      ...event,
    }) as ShopEvent;
  const refusal = { type: 'customerUpdated', attributes: { consent: { email: false } } };
  const complaint = { type: 'contact', complaint: 'opened' };
  const dismissal = (offerId: string, decisionId: string | null) => ({
    type: 'offerOutcome',
    outcome: 'dismissed',
    offerId,
    decisionId,
  });

  test.each([
    { what: 'a withdrawn consent', event: refusal, reasonCode: 'no-consent' },
    { what: 'a complaint', event: complaint, reasonCode: 'complaint-open' },
    { what: 'a low rating', event: { type: 'rating', rating: 1 }, reasonCode: 'low-rating' },
    {
      what: 'an unsubscription',
      event: { type: 'marketingContact', channel: 'email', outcome: 'unsubscribed' },
      reasonCode: 'no-consent',
    },
  ])(
    '$what withdraws the offer at once: the fallback takes its place, logged, and the budget is free',
    async ({ event, reasonCode }) => {
      const { own, deps } = shop();
      const customerId = await customer();
      const first = await standingDecision(ask(customerId), deps);
      expect(idsOf(first)).toEqual([own.offerId]);
      await apply(customerId, [tells(customerId, event)]);
      const after = await standingDecision(ask(customerId), deps);
      expect(idsOf(after)).toEqual(['banner']);
      expect(after.fallback).toBe(true);
      expect(after.replaces).toEqual({
        decisionId: first.decisionId,
        offerIds: [own.offerId],
        reasonCode,
      });
      expect(await deps.budgets.state(own, noon)).toMatchObject({ reservedCount: 0, confirmedCount: 0 });
      expect((await deps.contacts.read(customerId)).history).toEqual([]);
      const logged = await loggedDecisions(customerId);
      expect(logged.map(({ decisionId }) => decisionId)).toEqual([first.decisionId, after.decisionId]);
      expect(await standingDecision(ask(customerId), deps)).toEqual(after);
      // What came back is there for the next.
      expect(idsOf(await standingDecision(ask(await customer()), deps))).toEqual([own.offerId]);
    },
  );

  test('where the next cannot be logged it does not stand any longer: what it had was given back', async () => {
    const { own, deps } = shop([call]);
    const customerId = await customer();
    const first = await standingDecision(ask(customerId), deps);
    await apply(customerId, [tells(customerId, complaint)]);
    const full = { ...deps, config: { ...deps.config, streamMaxLength: 0 } };
    await expect(standingDecision(ask(customerId), full)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
    });
    await apply(customerId, [tells(customerId, { ...complaint, complaint: 'resolved' })]);
    const after = await standingDecision(ask(customerId), deps);
    expect(after.decisionId).not.toBe(first.decisionId);
    const { reservedCount } = await deps.budgets.state(own, noon);
    expect(reservedCount).toBe(idsOf(after).includes(own.offerId) ? 1 : 0);
  });

  test('who complains gets a service contact in its place, where one is worth it', async () => {
    const { own, deps } = shop([call]);
    const customerId = await customer();
    expect(idsOf(await standingDecision(ask(customerId), deps))).toEqual([own.offerId]);
    await apply(customerId, [tells(customerId, complaint)]);
    const after = await standingDecision(ask(customerId), deps);
    expect(idsOf(after)).toEqual(['call']);
    expect(after.fallback).toBe(false);
    expect((await deps.contacts.read(customerId)).history.map(({ offerId }) => offerId)).toEqual(['call']);
    // A complaint does not end what is there to make up for it.
    await apply(customerId, [tells(customerId, { type: 'rating', rating: 1 })]);
    expect(await standingDecision(ask(customerId), deps)).toEqual(after);
  });

  test('what was seen stays a contact, and what another decision gave her stays hers', async () => {
    const { own, deps } = shop();
    const customerId = await customer();
    const given = await standingDecision(ask(customerId, { channel: 'web' }), deps);
    const made = await standingDecision(ask(customerId), deps);
    expect(made.placements[0]?.offers[0]?.heldSince).toBe(given.decisionId);
    const seen = LoggedDecision.parse(made);
    const offer = seen.placements[0]!.offers[0]!;
    await settleOutcome(seen, offer, { outcome: 'viewed', at: noon }, deps.market.known(), deps);
    await apply(customerId, [tells(customerId, complaint)]);
    expect(idsOf(await standingDecision(ask(customerId), deps))).toEqual(['banner']);
    const { history } = await deps.contacts.read(customerId);
    expect(history.map(({ decisionId, state }) => [decisionId, state])).toEqual([
      [given.decisionId, 'confirmed'],
      [made.decisionId, 'confirmed'],
    ]);
    expect(await deps.budgets.state(own, noon)).toMatchObject({ reservedCount: 1 });
  });

  test('a dismissed offer makes room for the next best', async () => {
    const customerId = await customer();
    const first = await standingDecision(ask(customerId), one);
    expect(idsOf(first)).toEqual(['five']);
    await apply(customerId, [tells(customerId, dismissal('five', first.decisionId))]);
    const after = await standingDecision(ask(customerId), two);
    expect(idsOf(after)).toEqual(['ten']);
    expect(after.replaces).toMatchObject({
      decisionId: first.decisionId,
      offerIds: ['five'],
      reasonCode: 'suppressed',
    });
  });

  test('a page view after a redemption does not show the redeemed offer; a message shows what it showed', async () => {
    const { own, deps } = shop();
    const customerId = await customer();
    const page = await standingDecision(ask(customerId, { channel: 'web' }), deps);
    const mail = await standingDecision(ask(customerId), deps);
    expect([idsOf(page), idsOf(mail)]).toEqual([[own.offerId], [own.offerId]]);
    const logged = LoggedDecision.parse(page);
    const offer = logged.placements[0]!.offers[0]!;
    await settleOutcome(logged, offer, { outcome: 'redeemed', at: noon + 1000 }, deps.market.known(), deps);
    await apply(customerId, [
      tells(customerId, { ...dismissal(own.offerId, page.decisionId), outcome: 'redeemed' }),
    ]);
    const after = await standingDecision(ask(customerId, { channel: 'web' }), deps);
    // The only one there was has been redeemed.
    expect(idsOf(after)).toEqual(['banner']);
    expect(after.replaces).toMatchObject({ decisionId: page.decisionId, reasonCode: 'redeemed' });
    expect(await standingDecision(ask(customerId), deps)).toEqual(mail);
    expect(await deps.budgets.state(own, noon)).toMatchObject({ reservedCount: 0, confirmedCount: 1 });
  });

  test('however many ask at once, over two processes, one decision takes the place of the withdrawn one', async () => {
    const customerId = await customer();
    const first = await standingDecision(ask(customerId), one);
    await apply(customerId, [tells(customerId, dismissal('five', first.decisionId))]);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => standingDecision(ask(customerId), i % 2 === 0 ? one : two)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await loggedDecisions(customerId)).toHaveLength(2);
    expect((await one.contacts.read(customerId)).history.map(({ offerId }) => offerId)).toEqual(['ten']);
  });
});

test('a deleted offer is not repeated, but one that this process has not heard of yet is', async () => {
  const behind = decideDeps(redis, keys, { offers: [banner], now });
  const customerId = await customer();
  const brandNew = makeOffer({ offerId: `new-${randomUUID()}`, benefit: { kind: 'percentOff', percent: 1 } });
  await one.catalogueStore.putOffers([brandNew], noon);
  const first = await standingDecision(
    ask(customerId),
    decideDeps(redis, keys, { offers: [brandNew, banner], now }),
  );
  expect(await standingDecision(ask(customerId), behind)).toEqual(first);
  await one.catalogueStore.deleteOffer(brandNew.offerId, noon + 1);
  expect(idsOf(await standingDecision(ask(customerId), behind))).toEqual(['banner']);
});

test('a decision whose process died before it was logged is logged by a later request, once', async () => {
  const customerId = await customer();
  const dying = {
    ...one,
    redis: new Proxy(redis, {
      get: (target, name) => {
        // On one server it is logged in the step in which it stands.
        if (name === 'isCluster') return true;
        // The process ends right after the decision stands.
        if (name === 'multi')
          return () => {
            throw new Error('killed');
          };
        return Reflect.get(target, name)?.bind?.(target) ?? Reflect.get(target, name);
      },
    }),
  };
  await expect(standingDecision(ask(customerId), dying)).rejects.toThrow('killed');
  expect(await loggedDecisions(customerId)).toEqual([]);

  const early = await standingDecision(ask(customerId), one);
  expect(await loggedDecisions(customerId)).toEqual([]);
  clock = noon + 6000;
  const answers = [
    await standingDecision(ask(customerId), two),
    await standingDecision(ask(customerId), one),
  ];
  clock = noon;
  expect(answers).toEqual([early, early]);
  // As whoever died would have logged it, with all that explains it.
  const [logged, ...others] = await loggedDecisions(customerId);
  expect(others).toEqual([]);
  expect(logged?.inputs?.features).toMatchObject({ purchaseCount: 1 });
  expect(logged?.excluded).not.toEqual([]);
  expect(logged?.reasonsLost).toBeUndefined();
  expect(await redis.exists(`${standingKey(await keysOf(customerId))}:whole`)).toBe(0);
  expect(await readOutline(early.decisionId ?? '', one)).toMatchObject({ customerId });
});

test('a decision that stands is logged by then, whole, and the stream is told of where it is', async () => {
  const customerId = await customer();
  const { decisionId } = await standingDecision(ask(customerId), one);
  const key = standingKey(await keysOf(customerId));
  await expect.poll(async () => parseStanding(await redis.getBuffer(key))?.logged).toBe(true);
  const found = await readWaiting(decisionId ?? '', one);
  const [logged] = await loggedDecisions(customerId);
  expect(found?.whole).toEqual(logged);
  expect(found?.whole?.excluded).not.toEqual([]);
  expect(found?.outline).toMatchObject({
    decisionId,
    customerId,
    placements: [{ offers: [{ offerId: 'five' }] }],
  });
  // Nothing is left beside it.
  await expect.poll(() => keysMatching(redis, `${key}:*`)).toEqual([]);
});

test('while the event stream is full nothing comes to stand on one server, and what was reserved is given back', async () => {
  const scarce = makeOffer({
    offerId: `scarce-${randomUUID()}`,
    benefit: { kind: 'amountOff', amountMinor: 500 },
    budget: { count: 1 },
  });
  const shop = { offers: [scarce, banner], now };
  const full = decideDeps(redis, keys, { ...shop, streamMaxLength: 0 });
  const customerId = await customer();
  await expect(standingDecision(ask(customerId), full)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  if (!isCluster(redis)) {
    expect(await full.budgets.state(scarce, noon)).toMatchObject({ reservedCount: 0 });
    expect((await full.contacts.read(customerId)).history).toEqual([]);
    expect(await keysMatching(redis, `*${customerId}*:decision:*`)).toEqual([]);
  }
  expect(await loggedDecisions(customerId)).toEqual([]);
  const roomy = decideDeps(redis, keys, shop);
  expect(idsOf(await standingDecision(ask(customerId), roomy))).toEqual([scarce.offerId]);
});

test('of a decision whose whole was lost with its process, the log says that', async () => {
  const customerId = await customer();
  await standingDecision(ask(customerId), one);
  const key = standingKey(await keysOf(customerId));
  // As another build left it.
  const unlogged = parseStanding(await redis.getBuffer(key));
  if (unlogged === undefined) throw new Error('nothing stands');
  await redis.set(key, writeStanding({ ...unlogged, logged: false }), 'KEEPTTL');
  clock = noon + 6000;
  await standingDecision(ask(customerId), two);
  clock = noon;
  const logged = (await loggedDecisions(customerId)).at(-1);
  expect(logged).toMatchObject({ reasonsLost: true, excluded: [] });
});

test('what another version left in an unknown shape is replaced', async () => {
  const customerId = await customer();
  await standingDecision(ask(customerId), one);
  const key = standingKey(await keysOf(customerId));
  await redis.set(key, '{"version":2}');
  expect(idsOf(await standingDecision(ask(customerId), one))).toEqual(['five']);
  expect(await redis.pttl(key)).toBeGreaterThan(0);
});

test('a decision that was made before the catalogue was loaded does not stand', async () => {
  const customerId = await customer();
  const starting = decideDeps(redis, keys, { offers: [], now });
  starting.catalogue.loaded = false;
  expect(await standingDecision(ask(customerId), starting)).toMatchObject({
    degraded: true,
    decisionId: null,
  });
  expect(idsOf(await standingDecision(ask(customerId), one))).toEqual(['five']);
});

test('without consent there is a fallback from the first, which is logged like any decision', async () => {
  const customerId = await customer(false);
  const answer = await standingDecision(ask(customerId), one);
  expect(idsOf(answer)).toEqual(['banner']);
  expect(answer.decisionId).not.toBeNull();
  // Why is in the log alone.
  expect(answer.excluded).toEqual([]);
  const [logged] = await loggedDecisions(customerId);
  expect(logged?.excluded.map(({ reasonCode }) => reasonCode)).toEqual(['no-consent', 'no-consent']);
});
