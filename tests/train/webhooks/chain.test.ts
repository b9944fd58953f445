/** From the drain to the queue, on a real Redis, with a process that falls at every step between. */
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { customerValueModel } from '../../../src/algorithms/customer-value/customer-value-model.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import type { Notice } from '../../../src/domain/webhook.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { drainOnce } from '../../../src/history/drain.ts';
import { createComplaintTopics } from '../../../src/infra/complaint-topics.ts';
import { appendEntries, logField } from '../../../src/infra/event-log.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import type { Redis } from '../../../src/infra/redis.ts';
import { openWebhookQueue, webhookQueueName } from '../../../src/infra/webhook-queue.ts';
import type { ScoringModels } from '../../../src/scoring/score-customer.ts';
import { type ForwardDeps, forwardOnce } from '../../../src/train/webhooks/forward.ts';
import { outboxLength, putIntoOutbox, tellOfEvents } from '../../../src/train/webhooks/outbox.ts';
import { riskCrossings, type SeenRisk } from '../../../src/train/webhooks/risk-crossings.ts';
import { valueSettings } from '../../algorithms/customer-value/support.ts';
import { testLake } from '../../support/lake.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { shopChurnModel } from '../../support/shop-models.ts';

const { redis, prefix } = testRedis();
const riskAbove = 0.7;
const start = Date.UTC(2026, 0, 5);

async function setUp() {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const lake = await testLake();
  const records = createRecordStore(redis, keys);
  const queue = openWebhookQueue(redis, keys);
  const raw = new Queue<Notice>(webhookQueueName, { connection: redis, prefix: keys.queuePrefix });
  onTestFinished(async () => {
    await queue.close();
    await raw.close();
  });
  let now = start;
  let models: ScoringModels = { churn: undefined };
  const onEvents = tellOfEvents({ redis, keys }, { ratingBelow: 3 });
  const drainDeps = {
    redis,
    keys,
    lake,
    recordStore: records,
    now: () => now,
    tombstones: nobodyErased(keys),
    onEvents,
  };
  const forwardDeps: ForwardDeps = {
    redis,
    keys,
    records,
    queue,
    topics: createComplaintTopics(redis, keys),
    config: { riskAbove, attempts: 3 },
    models: () => models,
    now: () => now,
    log: silentLog,
  };
  return {
    keys,
    queue,
    drainDeps,
    forwardDeps,
    at: (ms: number) => {
      now = ms;
    },
    serve: (served: ScoringModels) => {
      models = served;
    },
    accept: async (...events: ShopEvent[]) => {
      const entries = events.map((event) => ({ kind: 'event' as const, event }));
      const ids = await appendEntries(redis, keys, entries);
      for (const [e, event] of events.entries())
        if (event.customerId !== undefined)
          await records.apply(event.customerId, [{ event, streamId: ids[e]! }]);
    },
    drain: (overrides = {}) => drainOnce({ ...drainDeps, ...overrides }),
    /** Until the outbox is empty. */
    forward: async (overrides: Partial<ForwardDeps> = {}) => {
      while ((await forwardOnce({ ...forwardDeps, ...overrides })).more);
    },
    /** What is in the queue, by the instant of its cause. */
    queued: async () =>
      (await raw.getJobs(['waiting']))
        .map(({ data }) => data)
        .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)),
  };
}

const eventOf = (customerId: string, eventId: string, occurredAt: number, own: object) =>
  ({ customerId, eventId, occurredAt, channel: 'web', ...own }) as ShopEvent;
const rating = (eventId: string, value: number, customerId = 'anna', at = start) =>
  eventOf(customerId, eventId, at, { type: 'rating', rating: value });
const complaint = (eventId: string, at = start) =>
  eventOf('anna', eventId, at, { type: 'contact', complaint: 'opened' });
const purchase = (eventId: string, at: number) =>
  eventOf('anna', eventId, at, {
    type: 'purchase',
    orderId: eventId,
    lines: [{ itemId: 'tea', quantity: 1 }],
  });

/** Redis on which a command fails before it reaches the server, as if the process had been killed there. */
function killedAt(command: keyof Redis): Redis {
  return new Proxy(redis, {
    get(target, name) {
      if (name === command) return () => Promise.reject(new Error('killed'));
      const real = Reflect.get(target, name);
      return typeof real === 'function' ? real.bind(target) : real;
    },
  });
}

test('what a complaint is about is in no job: it waits beside the record until the webhook is sent', async () => {
  const { accept, drain, forward, queued, keys } = await setUp();
  await accept({ ...complaint('c'), topic: 'Wilhelmina called' } as ShopEvent);
  await drain();
  await forward();
  const [notice] = await queued();
  if (notice === undefined) throw new Error('nothing was queued');
  expect(JSON.stringify(notice)).not.toContain('Wilhelmina');
  const topics = createComplaintTopics(redis, keys);
  expect(await topics.find(notice)).toBe('Wilhelmina called');
  // As long as a dead letter may be there, and not for ever.
  expect(await redis.pttl(keys.complaintTopics('anna'))).toBeGreaterThan(31 * 86_400_000);
  await topics.forget(notice);
  expect(await topics.find(notice)).toBeUndefined();
});

test('a low rating and a complaint are queued, once each, with what the record knows; a good rating and a guest are not', async () => {
  const { accept, drain, forward, queued, keys } = await setUp();
  const { customerId: _customerId, ...guest } = rating('g', 1);
  await accept(rating('r', 2), complaint('c', start + 1), rating('good', 5), {
    ...guest,
    sessionId: 's',
  } as ShopEvent);
  await drain();
  await forward();
  const notices = await queued();
  expect(notices.map(({ type, data }) => [type, data.cause.eventId, data.suggestedAction.action])).toEqual([
    // The complaint was open by the time that the notice of the rating was made.
    ['customer.lowRating', 'r', 'call'],
    ['customer.complaint', 'c', 'call'],
  ]);
  expect(await outboxLength({ redis, keys })).toBe(0);
});

test('a repeat of an event is no other cause; the same id of another customer is', async () => {
  const { accept, drain, forward, queued } = await setUp();
  await accept(rating('r', 1), rating('r', 1), rating('r', 1, 'bert'));
  await drain();
  await forward();
  await accept(rating('r', 1));
  await drain();
  await forward();
  expect((await queued()).map(({ data }) => data.customerId).sort()).toEqual(['anna', 'bert']);
});

test.each([
  ['the mark', 'callBuffer'],
  ['the trim', 'xtrim'],
] as const)(
  'a drain that is killed with the part in the lake, before %s: its causes are not lost, and not doubled',
  async (_step, command) => {
    const { accept, drain, forward, queued, keys } = await setUp();
    await accept(rating('r', 1));
    // By scripts the lock is taken too.
    const key = command === 'callBuffer' ? keys.drainedThrough : keys.eventStream;
    const killing = new Proxy(redis, {
      get(target, name) {
        const real = Reflect.get(target, name);
        if (typeof real !== 'function') return real;
        return (...args: unknown[]) => {
          if (name === command && args.includes(key)) throw new Error('killed');
          return real.apply(target, args);
        };
      },
    });
    await expect(drain({ redis: killing })).rejects.toThrow('killed');
    await drain();
    await forward();
    expect((await queued()).map(({ data }) => data.cause.eventId)).toEqual(['r']);
  },
);

test('a drain that is killed before it has told leaves its events to the next', async () => {
  const { accept, drain, forward, queued } = await setUp();
  await accept(rating('r', 1));
  await expect(drain({ onEvents: () => Promise.reject(new Error('killed')) })).rejects.toThrow('killed');
  await drain();
  await forward();
  expect(await queued()).toHaveLength(1);
});

test('a drain that is killed before the lake tells again, and it is the same webhook', async () => {
  const { accept, drain, forward, queued, drainDeps } = await setUp();
  await accept(rating('r', 1));
  const lake = { ...drainDeps.lake, connect: () => Promise.reject(new Error('killed')) };
  await expect(drain({ lake })).rejects.toThrow('killed');
  await forward();
  await drain();
  await forward();
  expect(await queued()).toHaveLength(1);
});

test('killed before the queue has it, or before the outbox lets go of it: once in the queue', async () => {
  const { accept, drain, forward, queued, queue, keys } = await setUp();
  await accept(rating('r', 1), complaint('c'));
  await drain();
  await expect(forward({ queue: { add: () => Promise.reject(new Error('killed')) } })).rejects.toThrow(
    'killed',
  );
  expect(await queued()).toEqual([]);
  await expect(forward({ redis: killedAt('xdel'), queue })).rejects.toThrow('killed');
  expect(await queued()).toHaveLength(2);
  await forward();
  expect(await queued()).toHaveLength(2);
  expect(await outboxLength({ redis, keys })).toBe(0);
});

test('the outbox is brought on by one worker at a time', async () => {
  const { forwardDeps, keys } = await setUp();
  await redis.set(keys.webhookLock, 'another', 'PX', 60_000);
  expect(await forwardOnce(forwardDeps)).toMatchObject({ locked: true, entries: 0 });
});

test('what cannot be read is put aside, and holds up nothing', async () => {
  const { accept, drain, forward, queued, keys } = await setUp();
  await redis.xadd(keys.webhookOutbox, '*', logField, '{"kind":"of a later version"}');
  await accept(rating('r', 1));
  await drain();
  await forward();
  expect(await queued()).toHaveLength(1);
  const [aside] = await redis.xrange(keys.unreadableEntries, '-', '+');
  expect(aside?.[1]).toContain('{"kind":"of a later version"}');
});

test('a full outbox has the drain wait; nothing of it is lost', async () => {
  const { accept, drain, forward, queued, keys } = await setUp();
  const filling = redis.pipeline();
  // Of no customers: there is nothing to look at.
  const empty = JSON.stringify({ kind: 'changed', customerIds: [] });
  for (let e = 0; e < 100_000; e++) filling.xadd(keys.webhookOutbox, '*', logField, empty);
  await filling.exec();
  await accept(rating('r', 1));
  await expect(drain()).rejects.toThrow('the outbox of webhooks holds 100000 entries');
  expect(await redis.xlen(keys.eventStream)).toBe(1);
  await redis.xtrim(keys.webhookOutbox, 'MAXLEN', 5);
  await drain();
  await forward();
  expect(await queued()).toHaveLength(1);
});

test('a risk that an event has raised above the bound is told of once, with its reasons, until it has fallen and risen again', async () => {
  const { accept, drain, forward, queued, serve, at } = await setUp();
  serve({ churn: shopChurnModel(), value: customerValueModel(valueSettings()) });
  const look = async (ms: number, ...events: ShopEvent[]) => {
    at(ms);
    await accept(...events);
    await drain();
    await forward();
    return (await queued()).length;
  };
  const visit = (n: number, ms: number) => eventOf('anna', `v${n}`, ms, { type: 'visit' });
  // Three orders, ten days apart; the invented model's risk rises as she is overdue: sigmoid(.4·(2·ln(1 + overdue) − ln(1 + orders))).
  const orders = [0, 10, 20].map((day) => purchase(`o${day}`, start + day * dayMs));
  expect(await look(start + 20 * dayMs, ...orders)).toBe(0);
  expect(await look(start + 160 * dayMs, visit(1, start + 160 * dayMs))).toBe(1);
  expect(await look(start + 161 * dayMs, visit(2, start + 161 * dayMs))).toBe(1);
  // An order takes the risk down; long after it, it has risen again.
  expect(await look(start + 162 * dayMs, purchase('o162', start + 162 * dayMs))).toBe(1);
  expect(await look(start + 320 * dayMs, eventOf('anna', 'x', start + 320 * dayMs, { type: 'visit' }))).toBe(
    1,
  );
  expect(await look(start + 650 * dayMs, eventOf('anna', 'y', start + 650 * dayMs, { type: 'visit' }))).toBe(
    2,
  );
  const [first, second] = await queued();
  expect(first?.type).toBe('customer.churnRisk');
  expect(first?.data).toMatchObject({ customerId: 'anna', cause: { bound: 0.7, horizonDays: 60 } });
  expect(first?.data.churn?.risk).toBeGreaterThan(riskAbove);
  expect(first?.data.value?.valueMinor).toBeGreaterThanOrEqual(0);
  expect(first?.data.reasons.map(({ feature }) => feature)).toContain('daysSinceLastOrder');
  expect(second?.id).not.toBe(first?.id);
});

test('the risks of a night: crossings are told of, standings are not, and a night that runs twice tells once', async () => {
  const { keys, forward, queued } = await setUp();
  const crossings = (now: number, risks: Record<string, number>) =>
    riskCrossings(
      { redis, keys, bound: riskAbove, horizonDays: 60, now },
      Object.entries(risks).map(
        ([customerId, risk]): SeenRisk => ({
          customerId: customerId as CustomerId,
          risk,
          reasons: () => [{ feature: 'recency', text: `${customerId} was last seen long ago` }],
        }),
      ),
    );
  expect(await crossings(1, { anna: 0.2, bert: 0.9 })).toBe(0);
  expect(await crossings(2, { anna: 0.8, bert: 0.9 })).toBe(1);
  expect(await crossings(2, { anna: 0.8, bert: 0.9 })).toBe(0);
  expect(await crossings(3, { anna: 0.1, bert: 0.1 })).toBe(0);
  expect(await crossings(4, { anna: 0.1, bert: 0.75 })).toBe(1);
  await forward();
  const notices = await queued();
  expect(notices.map(({ data }) => [data.customerId, data.reasons[0]?.text])).toEqual([
    ['anna', 'anna was last seen long ago'],
    ['bert', 'bert was last seen long ago'],
  ]);
});

test('two that see one crossing at once tell of one webhook', async () => {
  const { keys, forward, queued } = await setUp();
  const deps = { redis, keys, bound: riskAbove, horizonDays: 60 };
  const seen = (risk: number): SeenRisk[] => [{ customerId: 'anna' as CustomerId, risk, reasons: () => [] }];
  await riskCrossings({ ...deps, now: 1 }, seen(0.1));
  // Both have read the standing before either has written.
  const [state] = await redis.hmget(keys.webhookRisk(riskAbove, 60), 'anna');
  await riskCrossings({ ...deps, now: 2 }, seen(0.9));
  await redis.hset(keys.webhookRisk(riskAbove, 60), { anna: state! });
  await riskCrossings({ ...deps, now: 3 }, seen(0.95));
  expect(await outboxLength({ redis, keys })).toBe(2);
  await forward();
  expect(await queued()).toHaveLength(1);
});

test('another bound takes everybody down anew, and tells of nobody', async () => {
  const { keys } = await setUp();
  const see = (bound: number, risk: number) =>
    riskCrossings({ redis, keys, bound, horizonDays: 60, now: 1 }, [
      { customerId: 'anna' as CustomerId, risk, reasons: () => [] },
    ]);
  await see(0.7, 0.6);
  expect(await see(0.5, 0.6)).toBe(0);
  expect(await see(0.7, 0.8)).toBe(1);
});

test('an entry that Redis refuses is no success', async () => {
  const { keys } = await setUp();
  await redis.set(keys.webhookOutbox, 'not a stream');
  await expect(putIntoOutbox({ redis, keys }, [{ kind: 'changed', customerIds: [] }])).rejects.toThrow(
    'WRONGTYPE',
  );
});
