/** A campaign's list, from the request to the file: in this process, with threads of its own, over real Redis and a real lake. */
import { mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideDry, noContext } from '../../../src/decide/decide.ts';
import { LoggedDecision } from '../../../src/decide/decision-log.ts';
import { createContactLedger, type ReadContacts } from '../../../src/decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../../../src/decide/ledger/offer-budget.ts';
import { standingKey } from '../../../src/decide/read-standing.ts';
import { type StandingDeps, standingDecision } from '../../../src/decide/standing-decision.ts';
import { parseStanding } from '../../../src/decide/standing-text.ts';
import { BatchRequest } from '../../../src/domain/batch.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import { CustomerId, EventId } from '../../../src/domain/ids.ts';
import type { Offer } from '../../../src/domain/offer.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { createUnframer } from '../../../src/history/decision-frames.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { batchFolder, batchIdOf } from '../../../src/infra/batch-files.ts';
import { createCatalogueStore } from '../../../src/infra/catalogue-store.ts';
import { readConfig } from '../../../src/infra/config.ts';
import { openErasureFiles } from '../../../src/infra/erasure-files.ts';
import { createTombstones } from '../../../src/infra/tombstones.ts';
import { createBatchDeciding } from '../../../src/train/batch/batch-deciding.ts';
import { runBatch } from '../../../src/train/batch/run-batch.ts';
import { decideDeps } from '../../support/decide-deps.ts';
import { makeItem, makeOffer } from '../../support/offers.ts';
import { deleteEach, silentLog, testRedis } from '../../support/redis.ts';

const { redis, keys, url, prefix } = testRedis();
const customers = 900;
const idOf = (n: number) => `c${String(n).padStart(4, '0')}`;
const everyId = Array.from({ length: customers }, (_, n) => idOf(n));
let folder: string;
let lake: Lake;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-batch-'));
  lake = await openLake(join(folder, 'data'));
  // Each test is a campaign to the same customers, one right after the other.
  const contact = { minGapHours: 0, caps: [], quietHours: [], oneDiscountAtATime: false };
  // What annoyance costs by e-mail is of no account here.
  const economics = { lifetimeValueWeight: 0 };
  const policy = { contact, economics, exploration: { method: 'none' } };
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
  const records = createRecordStore(redis, keys);
  await Promise.all(
    everyId.map((customerId, n) =>
      records.apply(customerId, [
        {
          event: {
            type: 'customerUpdated',
            customerId,
            eventId: EventId.parse(`u${n}`),
            occurredAt: Date.now() - 40 * dayMs,
            channel: 'web',
            // Every tenth has not consented; every third is of the north.
            attributes: { consent: { email: n % 10 !== 0 }, ...(n % 3 === 0 && { segment: 'north' }) },
          } as never,
          streamId: `${2 * n + 1}-0`,
        },
        {
          event: {
            type: 'purchase',
            customerId,
            eventId: EventId.parse(`p${n}`),
            occurredAt: Date.now() - 30 * dayMs,
            channel: 'web',
            // Orders grow with the number: so does what an offer is worth.
            lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 1000 + 100 * n }],
          } as never,
          streamId: `${2 * n + 2}-0`,
        },
      ]),
    ),
  );
  await createCatalogueStore(redis, keys).putItems(
    [makeItem({ itemId: 'tea', category: 'tea', priceMinor: 1000, marginMinor: 500 })],
    Date.now(),
  );
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true, force: true });
});

/** The customer's record, of an event; `n`: which of hers. */
async function tell(customerId: CustomerId, n: number, event: object): Promise<void> {
  const eventId = EventId.parse(`${customerId}-${n}`);
  const whole = { customerId, eventId, channel: 'web', occurredAt: Date.now(), ...event } as never;
  await createRecordStore(redis, keys).apply(customerId, [{ event: whole, streamId: `${n}-0` }]);
}

async function offersAre(...offers: Offer[]): Promise<void> {
  const store = createCatalogueStore(redis, keys);
  for (const { offerId } of await store.listOffers()) await store.deleteOffer(offerId, Date.now());
  await store.putOffers(offers, Date.now() + 1);
}

function makeRequest(more: object = {}): BatchRequest {
  return BatchRequest.parse({
    customerIds: everyId,
    channel: 'email',
    campaign: `c${Math.random()}`,
    ...more,
  });
}

async function begin(request: BatchRequest) {
  const batchId = batchIdOf(request, Date.now());
  const files = batchFolder(join(folder, 'data'), batchId);
  await files.create(request, Date.now());
  return { batchId, files };
}

function run(
  batchId: string,
  report: () => Promise<void> = async () => {},
  policyName = 'policy.json',
  more: { lake?: Lake; now?: () => number } = {},
) {
  const config = readConfig({
    DATA_DIR: join(folder, 'data'),
    MODELS_DIR: join(folder, 'models'),
    REDIS_URL: url,
    KEY_PREFIX: prefix,
    LOG_LEVEL: 'silent',
    DECISION_POLICY_FILE: join(folder, policyName),
  });
  const context = {
    config,
    redisUrl: url,
    lake,
    redis,
    keys,
    log: silentLog,
    now: Date.now,
    threads: 2,
    report,
    ...more,
  };
  return runBatch(batchId, context);
}

type Line = {
  customerId: string;
  decisionId: string;
  fallback: boolean;
  contactable: boolean;
  reasonCode?: string;
  offers: { offerId: string }[];
};
async function linesOf(files: ReturnType<typeof batchFolder>): Promise<Line[]> {
  const texts = await Promise.all((await files.parts()).map((part) => readFile(part, 'utf8')));
  return texts
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function decisionsOf(files: ReturnType<typeof batchFolder>): Promise<LoggedDecision[]> {
  const campaign = (await files.request())?.about.campaign;
  const read = await lake.connection.runAndReadAll(
    `SELECT json FROM ${lake.from('decisions')} WHERE campaign = '${campaign}'`,
  );
  const decisions = await createUnframer(lake, lake.connection).unframe(
    read.getRows().map(([json]) => String(json)),
  );
  return decisions.map((decision) => LoggedDecision.parse(decision));
}

/** As the service decides: by the same policy, over the same records. */
async function asServed(offers: Offer[], now: () => number = Date.now) {
  const policy = DecisionPolicy.parse(JSON.parse(await readFile(join(folder, 'policy.json'), 'utf8')));
  const items = [makeItem({ itemId: 'tea', category: 'tea', priceMinor: 1000, marginMinor: 500 })];
  return decideDeps(redis, keys, { offers, items, policy, now });
}

const fivePercent = (more: object = {}) =>
  makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5, maxMinor: 5000 }, ...more });

test('each customer is decided once; who has not consented gets nothing; the lake has every decision', async () => {
  await offersAre(fivePercent());
  const { batchId, files } = await begin(makeRequest());
  const { cancelled, counts } = await run(batchId);
  expect(cancelled).toBe(false);
  expect(counts).toMatchObject({ customers, decided: customers, offers: 810, byOffer: { five: 810 } });
  expect(counts.byReason).toMatchObject({ 'no-consent': 90 });
  const lines = await linesOf(files);
  expect(lines).toHaveLength(810);
  expect(new Set(lines.map(({ customerId }) => customerId)).size).toBe(810);
  const logged = await lake.connection.runAndReadAll(
    `SELECT "customerId", "decisionId" FROM ${lake.from('decisions')} WHERE campaign = '${(await files.request())?.about.campaign}'`,
  );
  expect(logged.getRows()).toHaveLength(customers);
  const inLake = new Map(logged.getRows().map(([customerId, decisionId]) => [customerId, decisionId]));
  for (const { customerId, decisionId } of lines) expect(inLake.get(customerId)).toBe(decisionId);
  expect(await files.finishedAt()).toBeDefined();
});

test('a list that was just made leaves acceptance as it was: it counts when nobody can redeem it any more', async () => {
  const listed = fivePercent({ offerId: 'listed', redeemWithinDays: 3 });
  await offersAre(listed);
  const { batchId, files } = await begin(makeRequest());
  await run(batchId);
  expect(await linesOf(files)).toHaveLength(810);
  const countsAfter = async (days: number) => {
    const { market } = await asServed([listed], () => Date.now() + days * dayMs);
    return (await market.read()).countsOf('listed');
  };
  expect(await countsAfter(0)).toEqual({ made: 0, redeemed: 0 });
  expect(await countsAfter(3)).toEqual({ made: 0, redeemed: 0 });
  expect(await countsAfter(4)).toEqual({ made: 810, redeemed: 0 });
});

test.each([
  ['deciding', undefined, 120],
  ['valuing and deciding', 10, 180],
])('how long a list of one chunk took is known: %s', async (_what, budgetCount, seconds) => {
  await offersAre(
    fivePercent({
      offerId: `timed${seconds}`,
      ...(budgetCount !== undefined && { budget: { count: budgetCount } }),
    }),
  );
  const { batchId, files } = await begin(makeRequest({ customerIds: everyId.slice(0, 40) }));
  // A minute goes by whenever the ids are opened, before the first chunk of them is handed out, and when a part of the lake is.
  let late = 0;
  const slow: Lake = {
    ...lake,
    connect: () => {
      late += 60_000;
      return lake.connect();
    },
  };
  await run(batchId, undefined, undefined, { lake: slow, now: () => Date.now() + late });
  const [counted, finishedAt, request] = await Promise.all([
    files.counts(),
    files.finishedAt(),
    files.request(),
  ]);
  expect(counted.counts.decided).toBe(40);
  expect(counted.seconds).toBeGreaterThanOrEqual(seconds);
  expect(counted.seconds).toBeLessThanOrEqual((finishedAt! - request!.createdAt) / 1000);
});

test('ids of whom there is no record are decided on, and counted', async () => {
  await offersAre(fivePercent());
  const ids = [idOf(1), 'nobody-1', 'nobody-2'].map((id) => CustomerId.parse(id));
  const { counts } = await run((await begin(makeRequest({ customerIds: ids, channel: 'web' }))).batchId);
  expect(counts).toMatchObject({ customers: 3, decided: 3, unknown: 2 });
});

test('a fallback is nothing to send to who has not consented: no line of theirs, or one that says so', async () => {
  await offersAre(
    fivePercent(),
    makeOffer({ offerId: 'news', benefit: { kind: 'content' }, fallback: true }),
  );
  const ids = everyId.slice(0, 40);
  const { batchId, files } = await begin(makeRequest({ customerIds: ids }));
  const { counts } = await run(batchId);
  expect(counts).toMatchObject({ decided: 40, notContactable: 4 });
  const lines = await linesOf(files);
  expect(lines.map(({ customerId }) => customerId).sort()).toEqual(ids.filter((_, n) => n % 10 !== 0));
  const told = await begin(makeRequest({ customerIds: ids, includeNothing: true }));
  await run(told.batchId);
  const refusers = (await linesOf(told.files)).filter(({ contactable }) => !contactable);
  expect(refusers.map(({ customerId }) => customerId).sort()).toEqual(ids.filter((_, n) => n % 10 === 0));
  for (const { reasonCode, fallback } of refusers)
    expect([reasonCode, fallback]).toEqual(['no-consent', true]);
});

test('a budget goes to those to whom it is worth most, not to those who come first', async () => {
  await offersAre(fivePercent({ offerId: 'scarce', budget: { count: 50 } }));
  const { batchId, files } = await begin(makeRequest());
  const { counts } = await run(batchId);
  expect(counts.byOffer.scarce).toBeGreaterThanOrEqual(48);
  expect(counts.byOffer.scarce).toBeLessThanOrEqual(50);
  const winners = (await linesOf(files)).map(({ customerId }) => Number(customerId.slice(1)));
  // Some 55 of the highest numbers hold the 50 best who have consented.
  expect(Math.min(...winners)).toBeGreaterThan(customers - 60);
  const [scarce] = await createCatalogueStore(redis, keys).listOffers();
  if (scarce === undefined) throw new Error('the offer is gone');
  const state = await createBudgetLedger(redis, keys).state(scarce, Date.now());
  expect(state.reservedCount).toBe(counts.byOffer.scarce);
});

test('a variant that ranks by response has its part of a scarce budget, by value like the others', async () => {
  const policy = JSON.parse(await readFile(join(folder, 'policy.json'), 'utf8'));
  const variants = [{ name: 'v' }, { name: 'resp', ranking: 'response' }];
  const experiments = [{ name: 'order', from: '2026-01-01T00:00:00Z', variants }];
  await writeFile(join(folder, 'by-response.json'), JSON.stringify({ ...policy, experiments }));
  await offersAre(fivePercent({ offerId: 'parted', budget: { count: 100 } }));
  const { batchId, files } = await begin(makeRequest());
  const { counts } = await run(batchId, undefined, 'by-response.json');
  expect(counts.byOffer.parted).toBeGreaterThanOrEqual(95);
  const winners = (await decisionsOf(files)).filter(({ placements: [place] }) => place?.offers.length);
  const of = (name: string) => winners.filter(({ experiment }) => experiment?.variant === name).length;
  // Of a fair coin for each of a hundred, one in thousands of runs is further off; the draw is by customer id, and so always the same.
  expect(of('resp')).toBeGreaterThan(30);
  expect(of('v')).toBeGreaterThan(30);
  // Some 111 of the highest numbers hold the 100 best who have consented.
  const numbers = winners.map(({ customerId }) => Number(customerId?.slice(1)));
  expect(Math.min(...numbers)).toBeGreaterThan(customers - 125);
});

test('who holds an offer takes no share of what is left of its budget from the others', async () => {
  const customerIds = everyId.slice(800);
  const scarce = (count: number) => fivePercent({ offerId: 'held', budget: { count } });
  await offersAre(scarce(10));
  expect((await run((await begin(makeRequest({ customerIds }))).batchId)).counts.byOffer.held).toBe(10);
  await offersAre(scarce(20));
  const { counts } = await run((await begin(makeRequest({ customerIds }))).batchId);
  // The ten to whom it is worth most have it already, and are made it again.
  expect(counts.byOffer.held).toBe(20);
  const { reservedCount } = await createBudgetLedger(redis, keys).state(scarce(20), Date.now());
  expect(reservedCount).toBe(20);
});

test('who goes without a share is logged with the probability of what was done', async () => {
  await offersAre(fivePercent({ offerId: 'few', budget: { count: 50 } }));
  const { batchId, files } = await begin(makeRequest());
  await run(batchId);
  const logged = await decisionsOf(files);
  const propensities = logged.map(({ placements: [place] }) => place?.loggingPropensity);
  expect(propensities).toEqual(logged.map(() => 1));
  const passedOver = logged.filter(({ excluded: [first] }) => first?.reasonCode === 'budget-exhausted');
  expect(passedOver.length).toBeGreaterThanOrEqual(810 - 50);
});

test('with two offers each, the second budget is shared out by value like the first', async () => {
  const scarce = (offerId: string, percent: number) =>
    fivePercent({ offerId, benefit: { kind: 'percentOff', percent, maxMinor: 5000 }, budget: { count: 40 } });
  await offersAre(scarce('four', 4), scarce('three', 3), scarce('two', 2));
  const { batchId, files } = await begin(makeRequest({ limit: 2 }));
  const { counts } = await run(batchId);
  const lines = await linesOf(files);
  for (const offerId of ['four', 'three', 'two']) {
    // Of those at the margin to whom it is worth the same, chance decides: a few may be left.
    expect(counts.byOffer[offerId]).toBeGreaterThanOrEqual(34);
    expect(counts.byOffer[offerId]).toBeLessThanOrEqual(40);
    const winners = lines
      .filter(({ offers }) => offers.some((offer) => offer.offerId === offerId))
      .map(({ customerId }) => Number(customerId.slice(1)));
    // 120 offers, two each: the 60 to 80 customers with the largest orders have them.
    expect(Math.min(...winners)).toBeGreaterThan(customers - 150);
  }
  expect(Math.max(...lines.map(({ offers }) => offers.length))).toBe(2);
});

test('nothing stands too: asked for at send time, nobody is decided on again', async () => {
  await offersAre(fivePercent());
  const request = makeRequest({ customerIds: everyId.slice(0, 20), includeNothing: true });
  const { batchId, files } = await begin(request);
  await run(batchId);
  const deps = decideDeps(redis, keys, { offers: [fivePercent()], now: Date.now });
  const { channel, placement, campaign, limit } = request;
  for (const { customerId, decisionId, offers } of await linesOf(files)) {
    const asked = { channel, placement, campaign, limit, context: noContext };
    const subject = { customerId: CustomerId.parse(customerId) };
    const stands = await standingDecision({ ...asked, subject }, deps);
    expect(stands.decisionId).toBe(decisionId);
    expect(stands.placements[0]?.offers).toHaveLength(offers.length);
  }
});

test('what stands already is what the list says, and is neither made nor logged again', async () => {
  const gift = { offerId: 'gift', benefit: { kind: 'gift', costMinor: 150 }, priorityLever: 2 };
  const better = makeOffer({ ...gift, budget: { count: 1000 } });
  const offers = [fivePercent(), better];
  await offersAre(...offers);
  const ids = everyId.slice(891, 899);
  const request = makeRequest({ customerIds: ids, includeNothing: true });
  const { channel, placement, campaign, limit } = request;
  const askFor = (id: string, deps: StandingDeps) => {
    const subject = { customerId: CustomerId.parse(id) };
    return standingDecision({ subject, channel, placement, campaign, limit, context: noContext }, deps);
  };
  // Before the better offer was there; one customer while there was nothing.
  const before = await asServed([fivePercent()]);
  const none = await asServed([]);
  const first = [
    await askFor(idOf(891), before),
    await askFor(idOf(892), before),
    await askFor(idOf(893), none),
  ];
  const { batchId, files } = await begin(request);
  const { counts } = await run(batchId);
  expect(counts).toMatchObject({ decided: 8, byOffer: { five: 2, gift: 5 }, notContactable: 0 });
  const lines = await linesOf(files);
  expect(lines).toHaveLength(8);
  const now = await asServed(offers);
  for (const { customerId, decisionId, offers: listed } of lines) {
    const stands = await askFor(customerId, now);
    expect(stands.decisionId).toBe(decisionId);
    expect(stands.placements[0]?.offers.map(({ offerId }) => offerId)).toEqual(
      listed.map(({ offerId }) => offerId),
    );
  }
  const [one, two, three] = lines;
  expect([one, two, three].map((line) => line?.decisionId)).toEqual(first.map((d) => d.decisionId));
  // She has consented: nothing was worth making, and yet she may be contacted.
  expect(three).toMatchObject({ contactable: true, offers: [] });
  // The stream has those that were made before.
  expect((await decisionsOf(files)).map(({ customerId }) => customerId).sort()).toEqual(ids.slice(3));
  const { reservedCount } = await createBudgetLedger(redis, keys).state(better, Date.now());
  expect(reservedCount).toBe(5);
});

test('who has withdrawn consent since gets what the next who asks would get, in place of what stood', async () => {
  await offersAre(fivePercent());
  const customerId = CustomerId.parse('leaves-the-mail');
  const order = { itemId: 'tea', quantity: 1, unitPriceMinor: 90_000 };
  await tell(customerId, 1, { type: 'purchase', lines: [order], occurredAt: Date.now() - 30 * dayMs });
  await tell(customerId, 2, { type: 'customerUpdated', attributes: { consent: { email: true } } });
  const request = makeRequest({ customerIds: [customerId], includeNothing: true });
  const { channel, placement, campaign, limit } = request;
  const asked = { subject: { customerId }, channel, placement, campaign, limit, context: noContext };
  const deps = await asServed([fivePercent()]);
  const stood = await standingDecision(asked, deps);
  expect(stood.placements[0]?.offers).toHaveLength(1);
  await tell(customerId, 3, { type: 'customerUpdated', attributes: { consent: { email: false } } });
  const { batchId, files } = await begin(request);
  await run(batchId);
  const [line] = await linesOf(files);
  expect(line).toMatchObject({ contactable: false, reasonCode: 'no-consent', offers: [] });
  const stands = await standingDecision(asked, deps);
  expect(stands.decisionId).toBe(line?.decisionId);
  expect(stands.replaces?.decisionId).toBe(stood.decisionId);
});

test('whoever asks while the list decides has been answered: the list says the same, and gives back its own', async () => {
  const offer = fivePercent({ offerId: 'raced', budget: { count: 10 } });
  await offersAre(offer);
  const { customerIds = [], ...about } = makeRequest({ customerIds: [idOf(898), idOf(899)] });
  const deps = await asServed([offer]);
  const { channel, placement, campaign, limit } = about;
  const subject = { customerId: CustomerId.parse(idOf(898)) };
  let answered: Decision | undefined;
  const deciding = createBatchDeciding(
    { batchId: `batch-${'0'.repeat(16)}`, about: { ...about, listed: true }, createdAt: Date.now() },
    {
      ...deps,
      tombstones: { erasedAt: async (ids) => ids.map(() => -1) },
      contacts: {
        ...deps.contacts,
        writeMany: async (writes, now) => {
          const written = await deps.contacts.writeMany(writes, now);
          answered ??= await standingDecision(
            { subject, channel, placement, campaign, limit, context: noContext },
            deps,
          );
          return written;
        },
      },
    },
  );
  const decided = await deciding.decide(customerIds, '0', undefined);
  expect(answered?.placements[0]?.offers).toHaveLength(1);
  expect(decided.map(({ decision }) => decision.decisionId)[0]).toBe(answered?.decisionId);
  expect(decided.map(({ json }) => json === undefined)).toEqual([true, false]);
  const { history } = await deps.contacts.read(idOf(898));
  const ids = new Set(history.filter(({ offerId }) => offerId === 'raced').map((c) => c.decisionId));
  const [held] = answered?.placements[0]?.offers ?? [];
  expect([...ids]).toContain(held?.heldSince ?? answered?.decisionId);
  // One of each customer: what was reserved twice would stay out for weeks.
  expect((await deps.budgets.state(offer, Date.now())).reservedCount).toBe(2);
});

test('a customer of a list is decided as one asked for alone, in every term', async () => {
  const offers = [
    fivePercent({ eligibility: { feature: 'averageOrderValueMinor', gte: 3000 } }),
    makeOffer({ offerId: 'gift', benefit: { kind: 'gift', costMinor: 150 } }),
    makeOffer({ offerId: 'web-only', channels: ['web'] }),
    makeOffer({ offerId: 'news', benefit: { kind: 'content' }, fallback: true }),
  ];
  await offersAre(...offers);
  const request = makeRequest({ customerIds: everyId.slice(0, 60), limit: 2 });
  const { channel, placement, campaign, limit } = request;
  // Features fade by the second, and a list adds to what is known of its offers and customers: each is asked for at the instant
  // at which the list decided, by what was known before.
  let now = Date.now();
  const served = await asServed(offers, () => now);
  const market = await served.market.read();
  const before = new Map<string, ReadContacts>();
  for (const id of everyId.slice(0, 60)) before.set(id, await served.contacts.read(id));
  const contacts = { ...served.contacts, read: async (id: string) => before.get(id) as ReadContacts };
  const deps = { ...served, market: { ...served.market, read: async () => market }, contacts };
  const { batchId, files } = await begin(request);
  await run(batchId);
  const listed = await decisionsOf(files);
  expect(listed.map(({ customerId }) => customerId).sort()).toEqual(everyId.slice(0, 60));
  for (const decision of listed) {
    now = Date.parse(decision.decidedAt);
    const subject = { customerId: CustomerId.parse(decision.customerId) };
    const asked = { subject, channel, placements: [placement], campaign, limit, context: noContext };
    const single = await decideDry(asked, deps);
    expect(termsOf(decision)).toEqual(termsOf(single));
    const reasons = ({ excluded }: Decision) =>
      excluded.map((o) => [o.offerId, o.offerVersion, o.reasonCode]);
    expect(reasons(decision)).toEqual(reasons(single));
  }
  const kinds = new Set(listed.map(({ placements: [place] }) => place?.offers.map((o) => o.offerId).join()));
  expect(kinds.size).toBeGreaterThan(1);
});

function termsOf({ placements, inputs, modelVersions, policyVersion, fallback }: Decision): unknown {
  const places = placements.map(({ offers, ...place }) => ({
    ...place,
    offers: offers.map(({ redeemableUntil: _, ...offer }) => offer),
  }));
  return { places, inputs, modelVersions, policyVersion, fallback };
}

test('what is made again after a crash comes out the same, and reserves nothing twice', async () => {
  await offersAre(fivePercent({ offerId: 'again', budget: { count: 100 } }));
  const { batchId, files } = await begin(makeRequest());
  await run(batchId);
  const before = await linesOf(files);
  const [part] = await files.parts();
  // As if the process had died after all was decided, before the part was written.
  await unlink(part ?? '');
  await unlink(join(files.folder, 'finished.json'));
  await run(batchId);
  expect((await linesOf(files)).map(({ customerId, decisionId }) => [customerId, decisionId])).toEqual(
    before.map(({ customerId, decisionId }) => [customerId, decisionId]),
  );
  const [again] = await createCatalogueStore(redis, keys).listOffers();
  if (again === undefined) throw new Error('the offer is gone');
  const { reservedCount } = await createBudgetLedger(redis, keys).state(again, Date.now());
  expect(reservedCount).toBe(before.length);
  const { history } = await createContactLedger(redis, keys).read(before[0]?.customerId ?? '');
  const own = history.filter(({ decisionId }) => decisionId === before[0]?.decisionId);
  expect(own).toHaveLength(1);
});

test("who is erased while the list is made is not decided on: whom it has come to by then is the erasure's", async () => {
  await offersAre(fivePercent());
  const { batchId, files } = await begin(makeRequest({ includeNothing: true }));
  const tombstones = createTombstones(redis, keys, await openErasureFiles(join(folder, 'data')));
  const [before, last] = [idOf(1), idOf(customers - 1)];
  // An erasure from before the list was asked for is of somebody else by the same id.
  await tombstones.bury([before], Date.now() - dayMs);
  let hasBegun = false;
  await run(batchId, async () => {
    if (hasBegun) return;
    hasBegun = true;
    await tombstones.bury([last], Date.now());
  });
  const listed = (await linesOf(files)).map(({ customerId }) => customerId);
  expect(listed).toEqual(everyId.filter((customerId) => customerId !== last));
  const decisions = await decisionsOf(files);
  expect(decisions).toHaveLength(customers - 1);
});

test('a batch that was cancelled stops, and goes on where it stopped', async () => {
  await offersAre(fivePercent());
  const { batchId, files } = await begin(makeRequest());
  let reports = 0;
  const stopped = await run(batchId, async () => {
    if (++reports === 2) await files.cancel();
  });
  expect(stopped.cancelled).toBe(true);
  expect(await files.finishedAt()).toBeUndefined();
  // It may never go on. What stands is in the lake, with all that explains it.
  const campaign = (await files.request())?.about.campaign;
  const slots = everyId.map((customerId) =>
    standingKey(
      {
        subject: { customerId: CustomerId.parse(customerId) },
        channel: 'email',
        campaign,
        placement: 'default',
      },
      { keys },
    ),
  );
  const standing = () =>
    Promise.all(slots.map(async (slot) => parseStanding(await redis.getBuffer(slot))?.decision.decisionId));
  const stood = (await standing()).filter((decisionId) => decisionId !== undefined);
  const logged = await decisionsOf(files);
  expect(logged.map(({ decisionId }) => decisionId).sort()).toEqual(stood.sort());
  expect(stood.length).toBeGreaterThan(0);
  expect(stood.length).toBeLessThan(customers);
  for (const { inputs, reasonsLost } of logged)
    expect([inputs === undefined, reasonsLost]).toEqual([false, undefined]);

  await files.uncancel();
  // Of some, what stood is over: they are decided on anew, under another id.
  await deleteEach(redis, slots.slice(0, 10));
  const { counts } = await run(batchId);
  expect(counts.decided).toBe(customers);
  const all = (await decisionsOf(files)).map(({ decisionId }) => decisionId);
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((decisionId) => stood.includes(decisionId))).toHaveLength(stood.length);
  expect(all).toHaveLength(customers + 10);
  expect(new Set((await linesOf(files)).map(({ decisionId }) => decisionId))).toEqual(
    new Set((await standing()).filter((_, n) => n % 10 !== 0)),
  );
});

test('one that is to go on while it is still coming to its end goes on', async () => {
  await offersAre(fivePercent());
  const { batchId, files } = await begin(makeRequest());
  let reports = 0;
  const { cancelled, counts } = await run(batchId, async () => {
    reports++;
    if (reports === 2) await files.cancel();
    if (reports === 3) await files.uncancel();
  });
  expect(cancelled).toBe(false);
  expect(counts.decided).toBe(customers);
  expect(await linesOf(files)).toHaveLength(counts.offers + counts.fallbacks);
  // It had stopped.
  expect(await files.breaks()).toBe(1);
});

test('a segment, or a rule over features, says who is meant', async () => {
  await offersAre(fivePercent());
  await lake.connection.run('SELECT 1');
  const north = await begin(makeRequest({ customerIds: undefined, segment: 'north' }));
  // The lake says who there is: nobody yet.
  expect((await run(north.batchId)).counts.customers).toBe(0);
  expect(await north.files.warnings()).toEqual([expect.stringMatching(/^Nobody is in the segment "north"/)]);
  const rule = { feature: 'averageOrderValueMinor', gte: 1000 + 100 * 890 };
  const rich = await begin(makeRequest({ customerIds: undefined, eligibility: rule, everybody: undefined }));
  expect((await run(rich.batchId)).counts.customers).toBe(0);
});

test('as CSV: a line an offer, with its columns', async () => {
  await offersAre(fivePercent());
  const { batchId, files } = await begin(makeRequest({ customerIds: everyId.slice(0, 30), format: 'csv' }));
  await run(batchId);
  const [part] = await files.parts();
  const rows = (await readFile(part ?? '', 'utf8')).trim().split('\r\n');
  expect(rows).toHaveLength(27);
  expect(rows[0]).toMatch(
    /^c0001,[0-9a-f-]{36},five,[0-9a-f]{12},An offer,[\d.]+,EUR,20\d\d-.*Z,false,\{\},true,$/,
  );
});

test('what lists take of the day to explore with and do not spend is there for others when they end; they tell what they spent', async () => {
  const policy = JSON.parse(await readFile(join(folder, 'policy.json'), 'utf8'));
  const exploration = { method: 'epsilonGreedy', epsilon: 0.5, maxCostMinorPerDay: 10_000 };
  await writeFile(join(folder, 'exploring.json'), JSON.stringify({ ...policy, exploration }));
  await offersAre(
    makeOffer({ offerId: 'five', channels: ['email'] }),
    makeOffer({ offerId: 'ten', benefit: { kind: 'percentOff', percent: 10 }, channels: ['email'] }),
  );
  // By now others have taken of it, too.
  const takenBy = async (at: Date) =>
    Number(await redis.get(keys.explorationSpent(at.toISOString().slice(0, 10))));
  const begun = new Date();
  const takenBefore = await takenBy(begun);
  let exploredMinor = 0;
  for (let list = 0; list < 3; list++) {
    const { batchId } = await begin(makeRequest({ customerIds: [idOf(101), idOf(102)] }));
    const result = await run(batchId, undefined, 'exploring.json');
    exploredMinor += result.exploredMinor;
  }
  const ended = new Date();
  let takenMinor = (await takenBy(begun)) - takenBefore;
  // At midnight another day begins.
  if (ended.getUTCDate() !== begun.getUTCDate()) takenMinor += await takenBy(ended);
  expect(exploredMinor).toBeGreaterThan(0);
  // In the counter a millionth is the least; a share of the day, of which each list's thread takes one, is 200.
  expect(takenMinor).toBeCloseTo(exploredMinor, 3);
});
