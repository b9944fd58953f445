import { expect, test } from 'vitest';
import type { LogEntry } from '../../src/domain/log-entry.ts';
import { beforeAllIds, compareStreamIds } from '../../src/domain/stream-id.ts';
import { readEntries, streamLag } from '../../src/history/event-stream.ts';
import { appendEntries, logField } from '../../src/infra/event-log.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();
const deleted = (itemId: string): LogEntry => ({ kind: 'itemDeleted', itemId: itemId as never, at: 1 });

test('entries are read in the order in which they were appended, after an id, so many at a time', async () => {
  const keys = createKeys(`${prefix}-order`);
  const entries = ['a', 'b', 'c', 'd'].map(deleted);
  const ids = await appendEntries(redis, keys, entries);
  expect([...ids].sort(compareStreamIds)).toEqual(ids);
  expect((await readEntries(redis, keys, beforeAllIds, 10)).map(({ entry }) => entry)).toEqual(entries);
  expect((await readEntries(redis, keys, ids[0]!, 2)).map(({ id }) => id)).toEqual([ids[1], ids[2]]);
  expect(await appendEntries(redis, keys, [])).toEqual([]);
});

test('an entry of an unknown kind, or none at all, is told apart from one that can be read', async () => {
  const keys = createKeys(`${prefix}-unknown`);
  await redis.xadd(keys.eventStream, '*', logField, '{"kind":"later"}');
  await redis.xadd(keys.eventStream, '*', logField, 'torn{');
  await redis.xadd(keys.eventStream, '*', 'other', 'field');
  await appendEntries(redis, keys, [deleted('a')]);
  const entries = await readEntries(redis, keys, beforeAllIds, 10);
  expect(entries.map(({ entry }) => entry?.kind)).toEqual([undefined, undefined, undefined, 'itemDeleted']);
  expect(entries.map(({ text }) => text).slice(0, 3)).toEqual([
    '{"kind":"later"}',
    'torn{',
    '["other","field"]',
  ]);
});

test.each([
  ['of no known type', { type: 'wat', customerId: 'anna', eventId: 'e', occurredAt: 1 }],
  ['before 1970', { type: 'visit', customerId: 'anna', eventId: 'e', occurredAt: -1, channel: 'web' }],
  ['without a time', { type: 'visit', customerId: 'anna', eventId: 'e', channel: 'web' }],
  ['without an id', { type: 'visit', customerId: 'anna', occurredAt: 1, channel: 'web' }],
  ['that is none', null],
])('an event %s cannot be read, and does not hold up those after it', async (what, event) => {
  const keys = createKeys(`${prefix}-${what.replaceAll(' ', '-')}`);
  await redis.xadd(keys.eventStream, '*', logField, JSON.stringify({ kind: 'event', event }));
  await appendEntries(redis, keys, [deleted('a')]);
  const entries = await readEntries(redis, keys, beforeAllIds, 10);
  expect(entries.map(({ entry }) => entry?.kind)).toEqual([undefined, 'itemDeleted']);
});

test('the lag is the age of the oldest entry that waits', async () => {
  const keys = createKeys(`${prefix}-lag`);
  expect(await streamLag(redis, keys, 5000)).toEqual({ length: 0, oldestAgeMs: 0 });
  await redis.xadd(keys.eventStream, '1000-0', logField, '{}');
  await redis.xadd(keys.eventStream, '4000-0', logField, '{}');
  expect(await streamLag(redis, keys, 5000)).toEqual({ length: 2, oldestAgeMs: 5000 - 1000 });
});
