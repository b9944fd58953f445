import { expect, test } from 'vitest';
import type { LogEntry } from '../../src/domain/log-entry.ts';
import { appendEntries } from '../../src/infra/event-log.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const deleted = (itemId: string): LogEntry => ({ kind: 'itemDeleted', itemId: itemId as never, at: 1 });

test('the entries of one call stand together, though others append at the same time', async () => {
  const calls = await Promise.all(
    Array.from({ length: 20 }, (_, call) =>
      appendEntries(
        redis,
        keys,
        Array.from({ length: 10 }, (_, e) => deleted(`${call}-${e}`)),
      ),
    ),
  );
  const order = (await redis.xrange(keys.eventStream, '-', '+')).map(([id]) => id);
  for (const ids of calls) {
    const start = order.indexOf(ids[0]!);
    expect(order.slice(start, start + 10)).toEqual(ids);
  }
  expect(order).toHaveLength(20 * 10);
});

test('where Redis refuses one entry, the call rejects', async () => {
  await redis.set(`${keys.eventStream}:other`, 'text');
  const broken = { ...keys, eventStream: `${keys.eventStream}:other` };
  await expect(appendEntries(redis, broken, [deleted('a')])).rejects.toThrow('WRONGTYPE');
});
