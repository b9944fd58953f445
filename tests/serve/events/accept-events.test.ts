import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { EventInput, type ParsedEventInput } from '../../../src/domain/event.ts';
import { Item } from '../../../src/domain/item.ts';
import { beforeAllIds } from '../../../src/domain/stream-id.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { namedFeatures } from '../../../src/features/named-features.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { readEntries } from '../../../src/history/event-stream.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { createMetrics } from '../../../src/infra/metrics.ts';
import { connectRedis } from '../../../src/infra/redis.ts';
import { createTombstones } from '../../../src/infra/tombstones.ts';
import { type AcceptDeps, acceptEvents } from '../../../src/serve/events/accept-events.ts';
import { warningsOfPrices } from '../../../src/serve/events/stamp-lines.ts';
import { submitEvents } from '../../../src/serve/events/submit-events.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { startMs } from '../../support/events.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { silentLog, testRedis } from '../../support/redis.ts';

const { redis, prefix } = testRedis();

function setUp(overrides: Partial<AcceptDeps> = {}) {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const records = createRecordStore(redis, keys);
  const deps: AcceptDeps = {
    redis,
    keys,
    records,
    catalogue: { items: new Map([['tea', Item.parse({ itemId: 'tea', category: 'hot drinks' })]]) },
    config: { currency: 'EUR', streamMaxLength: 1000 },
    tombstones: nobodyErased(keys),
    now: () => startMs,
    log: silentLog,
    ...overrides,
  };
  const streamed = async () =>
    (await readEntries(redis, keys, beforeAllIds, 100)).map(({ entry }) =>
      entry?.kind === 'event' ? entry.event : undefined,
    );
  return { keys, records, deps, streamed };
}

const parsed = (input: object): ParsedEventInput => EventInput.parse(input);
const visit = (rest: object = {}) => parsed({ type: 'visit', customerId: 'anna', ...rest });

test('an event is settled, stamped, in the stream and in the record', async () => {
  const { deps, records, streamed } = setUp();
  const lines = [
    { itemId: 'tea', category: 'of the sender' },
    { itemId: 'unknown', category: 'of the sender' },
  ];
  const result = await acceptEvents(
    [parsed({ type: 'purchase', customerId: 'anna', currency: 'EUR', lines })],
    deps,
  );
  expect(result).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0, deferred: 0 });
  const eventId = result.results[0]!.eventId;
  expect(eventId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await streamed()).toEqual([
    {
      type: 'purchase',
      eventId,
      customerId: 'anna',
      occurredAt: startMs,
      channel: 'web',
      lines: [
        { itemId: 'tea', quantity: 1, category: 'hot drinks' },
        { itemId: 'unknown', quantity: 1, category: 'of the sender' },
      ],
    },
  ]);
  expect((await records.read('anna'))?.items.get('tea' as never)?.category).toBe('hot drinks');
});

test('an order that is sent again without an id counts once, another part of it and its return as well', async () => {
  const { deps, records } = setUp();
  const lines = [{ itemId: 'tea', unitPriceMinor: 450 }];
  const order = { type: 'purchase', customerId: 'anna', orderId: '77', lines };
  const statusOf = async (event: object, from = deps) =>
    (await acceptEvents([parsed(event)], from)).results.map(({ status }) => status);
  expect(await statusOf(order)).toEqual(['accepted']);
  // What the catalogue says of the line by then, the clock and the page that tells are not what was bought.
  const items = new Map([['tea', Item.parse({ itemId: 'tea', category: 'drinks', priceMinor: 1 })]]);
  const later = { ...deps, catalogue: { items }, now: () => startMs + 60_000 };
  expect(await statusOf({ ...order, channel: 'web', sessionId: 's1' }, later)).toEqual(['duplicate']);
  expect((await acceptEvents([parsed(order), parsed(order)], deps)).duplicates).toBe(2);

  const others = [
    { ...order, lines: [{ itemId: 'tea', unitPriceMinor: 450, quantity: 2 }] },
    { ...order, lines: [{ itemId: 'tea', unitPriceMinor: 400 }] },
    { ...order, lines: [{ itemId: 'tea', unitPriceMinor: 450, discountMinor: 50 }] },
    { ...order, orderId: '78' },
    { ...order, occurredAt: startMs - 1000 },
    { ...order, type: 'return' },
    { ...order, eventId: 'own' },
    { ...order, customerId: 'berta' },
    { ...order, customerId: undefined, sessionId: 'anna' },
  ];
  for (const other of others) expect(await statusOf(other), JSON.stringify(other)).toEqual(['accepted']);
  expect((await acceptEvents(others.map(parsed), later)).duplicates).toBe(others.length);
  const record = await records.read('anna');
  // Each of hers; the return takes nothing from what was spent.
  expect(record && namedFeatures(record, startMs + dayMs).totalSpendMinor).toBe(
    450 + 900 + 400 + 400 + 450 + 450 + 450,
  );

  const { orderId: _, ...noOrder } = order;
  expect(await statusOf(noOrder)).toEqual(['accepted']);
  expect(await statusOf(noOrder)).toEqual(['accepted']);
});

test('what nobody says the price of costs what the catalogue says, in the stream as in the record', async () => {
  const items = new Map([['tea', Item.parse({ itemId: 'tea', priceMinor: 450 })]]);
  const { deps, records, streamed } = setUp({ catalogue: { items } });
  const buy = (lines: object[]) => parsed({ type: 'purchase', customerId: 'anna', lines });
  const events = [
    buy([
      { itemId: 'tea', quantity: 2 },
      { itemId: 'tea', unitPriceMinor: 300 },
      { itemId: 'tea', unitPriceMinor: 0 },
    ]),
    parsed({ type: 'view', customerId: 'anna', lines: [{ itemId: 'tea' }] }),
  ];
  const { results } = await acceptEvents(events, deps);
  expect(warningsOfPrices(events, results, deps.catalogue)).toEqual([]);
  const [purchase, view] = await streamed();
  expect(purchase).toMatchObject({
    lines: [{ unitPriceMinor: 450 }, { unitPriceMinor: 300 }, { unitPriceMinor: 0 }],
  });
  expect(view).not.toHaveProperty('lines[0].unitPriceMinor');
  const record = await records.read('anna');
  expect(record && namedFeatures(record, startMs).totalSpendMinor).toBe(2 * 450 + 300);
});

test('lines without any price are warned of, those of repeats and views are not', async () => {
  const { deps } = setUp();
  const buy = (itemId: string, more: object = {}) =>
    parsed({ type: 'purchase', customerId: 'anna', lines: [{ itemId }], ...more });
  const events = [
    buy('tea'),
    buy('cup', { eventId: 'once' }),
    buy('cup', { eventId: 'once' }),
    parsed({ type: 'view', customerId: 'anna', lines: [{ itemId: 'pot' }] }),
  ];
  const { results } = await acceptEvents(events, deps);
  expect(warningsOfPrices(events, results, deps.catalogue)).toEqual([
    expect.stringMatching(/^2 lines have no unitPriceMinor, .* no price of tea, cup: they count as 0/),
  ]);
});

test('a repeat is dropped, in the same request and in a later one; for another customer it is another event', async () => {
  const { deps, records, streamed } = setUp();
  const one = visit({ eventId: 'e1' });
  const first = await acceptEvents([one, one, visit({ eventId: 'e1', customerId: 'bert' })], deps);
  expect(first.results.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'accepted']);
  const second = await acceptEvents([one, visit({ eventId: 'e2' })], deps);
  expect(second).toMatchObject({ accepted: 1, duplicates: 1 });
  expect(await streamed()).toHaveLength(3);
  expect((await records.read('anna'))?.eventCount).toBe(2);
});

test('of the same event sent many times at once, one is accepted', async () => {
  const { deps, records } = setUp();
  const results = await Promise.all(
    Array.from({ length: 20 }, () => acceptEvents([visit({ eventId: 'same' })], deps)),
  );
  expect(results.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(1);
  expect((await records.read('anna'))?.eventCount).toBe(1);
});

test('events of one customer are folded in the order of time, though they come in another', async () => {
  const { deps, keys, records } = setUp();
  await acceptEvents(
    [
      visit({ eventId: 'b', occurredAt: startMs - 1000 }),
      visit({ eventId: 'a', occurredAt: startMs - 2000 }),
    ],
    deps,
  );
  expect((await records.read('anna'))?.lastEventId).toBe('b');
  expect(await redis.scard(keys.staleCustomers)).toBe(0);
});

test('one event of somebody who was erased is refused, unless it happened later, and is counted once', async () => {
  const { deps, keys } = setUp();
  const hash = (...parts: string[]) => parts.join(' ');
  const tombstones = createTombstones(redis, keys, {
    hash,
    receipts: async () => [],
    pending: async () => [],
  });
  await tombstones.bury(['anna'], startMs - 1000);
  const accept = (rest: object) => acceptEvents([visit(rest)], { ...deps, tombstones });
  expect(await accept({ eventId: 'old', occurredAt: startMs - 1000 })).toMatchObject({
    results: [{ status: 'rejected', reason: 'the customer has been erased since this happened' }],
  });
  expect(await redis.exists(keys.eventStream)).toBe(0);
  expect(await accept({ eventId: 'new' })).toMatchObject({ accepted: 1 });
  expect(await accept({ eventId: 'new' })).toMatchObject({ accepted: 0, duplicates: 1 });
  expect(await redis.xlen(keys.eventStream)).toBe(1);
});

test('a guest has a record under the session', async () => {
  const { deps, records } = setUp();
  await acceptEvents([parsed({ type: 'visit', sessionId: 's1' })], deps);
  expect((await records.read('session:s1'))?.eventCount).toBe(1);
});

describe('rejects, with a reason, and takes the rest', () => {
  test.each([
    [
      'more than a day ahead',
      { occurredAt: startMs + 86_400_001 },
      'occurredAt lies more than a day in the future',
    ],
    [
      'seconds for milliseconds',
      { occurredAt: startMs / 1000 },
      'occurredAt lies before 1990: a number is milliseconds since 1970, not seconds',
    ],
    [
      'an order that is worth more than anything may be',
      {
        type: 'purchase',
        lines: [
          { itemId: 'x', quantity: 10, unitPriceMinor: 100_000_000_000 },
          { itemId: 'y', unitPriceMinor: 1 },
        ],
      },
      'the lines come to more than 1000000000000: unitPriceMinor and discountMinor are in minor units (cents), quantity in pieces',
    ],
    ['another currency', { currency: 'USD' }, "currency is USD, the shop's is EUR"],
    ['half a surrogate pair', { type: 'contact', topic: 'a\ud83d' }, 'a text holds half of a surrogate pair'],
  ])('%s', async (_, rest, reason) => {
    const { deps, streamed } = setUp();
    const result = await acceptEvents([visit({ ...rest, eventId: 'bad' }), visit({ eventId: 'good' })], deps);
    expect(result).toMatchObject({ accepted: 1, rejected: 1 });
    expect(result.results).toEqual([
      { eventId: 'bad', status: 'rejected', reason },
      { eventId: 'good', status: 'accepted' },
    ]);
    expect((await streamed()).map((event) => event?.eventId)).toEqual(['good']);
  });

  test('but takes a day ahead, and whole pairs and backslashes', async () => {
    const { deps } = setUp();
    const events = [
      visit({ occurredAt: startMs + dayMs }),
      parsed({ type: 'contact', customerId: 'a', topic: '😀 \\ud83d' }),
    ];
    expect((await acceptEvents(events, deps)).accepted).toBe(2);
  });
});

describe('faults', () => {
  test('a full stream: nothing is taken, and the sender is told when to come again', async () => {
    const { deps, records, streamed } = setUp({ config: { currency: 'EUR', streamMaxLength: 2 } });
    await acceptEvents([visit(), visit()], deps);
    await expect(acceptEvents([visit()], deps)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      retryAfterSeconds: 5,
    });
    expect(await streamed()).toHaveLength(2);
    expect((await records.read('anna'))?.eventCount).toBe(2);
  });

  test('Redis away: STORE_UNAVAILABLE, at once', async () => {
    const away = connectRedis('redis://127.0.0.1:1', 'away', { kind: 'failFast', timeoutMs: 100 }, silentLog);
    const { deps } = setUp({ redis: away });
    await expect(acceptEvents([visit()], deps)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      status: 503,
    });
    away.disconnect();
  });

  test('a stream that refuses: nothing is half done', async () => {
    const { deps, keys, records } = setUp();
    // As a server without memory does: it refuses while the transaction is being queued.
    const refusing = new Proxy(redis, {
      get(target, name) {
        const real = Reflect.get(target, name);
        if (name === 'multi') return () => target.multi().call('SET', keys.eventStream);
        return typeof real === 'function' ? real.bind(target) : real;
      },
    });
    await expect(acceptEvents([visit(), visit()], { ...deps, redis: refusing })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await redis.exists(keys.eventStream)).toBe(0);
    expect(await records.read('anna')).toBeUndefined();
  });

  test('the same of one event, which is looked at and appended in one step', async () => {
    const { deps, keys, records } = setUp();
    await redis.set(keys.eventStream, 'no stream');
    await expect(acceptEvents([visit({ eventId: 'e1' })], deps)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await records.read('anna')).toBeUndefined();
    await redis.del(keys.eventStream);
    expect(await acceptEvents([visit({ eventId: 'e1' })], deps)).toMatchObject({ accepted: 1 });
  });

  test('a record that cannot be written: accepted all the same, and said to be deferred', async () => {
    const log = { error: vi.fn() };
    const { deps, streamed } = setUp({
      records: {
        apply: () => Promise.reject(new Error('away')),
        look: async () => ({ bytes: null, markers: new Map() }),
      },
      log,
    });
    expect(await acceptEvents([visit(), visit()], deps)).toMatchObject({ accepted: 2, deferred: 2 });
    expect(await streamed()).toHaveLength(2);
    expect(log.error).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(log.error.mock.calls)).not.toContain('anna');
  });

  describe('of many customers in one request', () => {
    const customers = Array.from({ length: 300 }, (_, n) => `customer-${n}`);
    const visits = customers.map((customerId) => visit({ customerId }));

    test('the records are read and written some at a time: others are answered in between', async () => {
      const { deps, records } = setUp();
      let [under, most] = [0, 0];
      const counted = async <T>(work: Promise<T>): Promise<T> => {
        most = Math.max(most, ++under);
        return await work.finally(() => under--);
      };
      const result = await acceptEvents(visits, {
        ...deps,
        records: {
          apply: (...args) => counted(records.apply(...args)),
          look: (...args) => counted(records.look(...args)),
        },
      });
      expect(result).toMatchObject({ accepted: 300, duplicates: 0, deferred: 0 });
      expect((await records.readMany(customers)).filter((record) => record?.eventCount === 1)).toHaveLength(
        300,
      );
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(50);
    });

    test('where none of some has an answer from Redis, the others do not wait for theirs, and one line tells', async () => {
      const log = { error: vi.fn() };
      const apply = vi.fn(() => Promise.reject(new Error('Command timed out')));
      const { deps, records } = setUp({ log });
      const result = await acceptEvents(visits, { ...deps, records: { ...records, apply } });
      expect(result).toMatchObject({ accepted: 300, deferred: 300 });
      expect(apply.mock.calls.length).toBeLessThanOrEqual(50);
      expect(log.error).toHaveBeenCalledTimes(1);
    });
  });

  test('what is deferred is counted, and not among those whose way to the record was timed', async () => {
    const { registry } = createMetrics();
    const metrics = createServeMetrics(registry);
    const { deps, records } = setUp();
    const apply: typeof records.apply = (subjectId, ...rest) =>
      subjectId === 'anna' ? Promise.reject(new Error('away')) : records.apply(subjectId, ...rest);
    const inputs = [visit(), visit(), visit({ customerId: 'bert' })];
    await submitEvents(inputs, { ...deps, records: { ...records, apply }, metrics });
    const text = await registry.metrics();
    expect(text).toMatch(/^nextbest_serve_deferred_events_total 2$/m);
    expect(text).toMatch(/^nextbest_serve_event_to_record_seconds_count 1$/m);
  });
});
