import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, untilReady } from '../../src/infra/redis.ts';
import { createReadBatch } from '../../src/infra/redis-read-batch.ts';
import { silentLog, testOneServer } from '../support/redis.ts';

const { url, prefix } = testOneServer();
const redis = connectRedis(url, 'tests-batch', { kind: 'failFast', timeoutMs: 5000 }, silentLog);
beforeAll(() => untilReady(redis, 5000));
afterAll(() => redis.disconnect());

const key = (n: number) => `${prefix}:value:${n}`;

describe('of readers beside each other', () => {
  test('each reader gets the values of its own keys, whoever reads beside it', async () => {
    for (let n = 0; n < 1500; n += 2) await redis.set(key(n), `value ${n}`);
    let commands = 0;
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      commands++;
      return send(command, stream);
    };
    const read = createReadBatch(redis);
    const readings = Array.from({ length: 700 }, (_, n) => read([key(2 * n), key(2 * n + 1)]));
    const replies = await Promise.all([...readings, read([])]);
    redis.sendCommand = send;
    for (const [n, values] of replies.slice(0, -1).entries())
      expect(values.map(String)).toEqual([`value ${2 * n}`, 'null']);
    expect(replies.at(-1)).toEqual([]);
    // 1,400 keys: no command has more than 1,000.
    expect(commands).toBe(2);
  });
});

test('without Redis, every reader is told', async () => {
  const away = connectRedis(
    'redis://127.0.0.1:1',
    'tests-away',
    { kind: 'failFast', timeoutMs: 500 },
    silentLog,
  );
  try {
    const read = createReadBatch(away);
    const settled = await Promise.allSettled([read([key(1)]), read([key(2)])]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  } finally {
    away.disconnect();
  }
});
