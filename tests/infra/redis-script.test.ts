import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis, type Redis } from '../../src/infra/redis.ts';
import { addWhenFull, callWhenFull } from '../../src/infra/redis-script.ts';
import { ownRedis } from '../support/own-redis.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();

test('a server that knows nothing of flags runs the script without them', async () => {
  const sent: string[] = [];
  // As Redis 6: the first line is no Lua.
  const old = new Proxy(redis, {
    get: (target, name) =>
      name !== 'callBuffer'
        ? Reflect.get(target, name)
        : (command: string, text: string, ...rest: string[]) => {
            const flagged = text.startsWith('#!');
            sent.push(flagged ? 'EVAL with flags' : command);
            if (command === 'EVALSHA') return Promise.reject(new Error('NOSCRIPT No matching script.'));
            return target.callBuffer(command, flagged ? text.replace('#!', '# ') : text, ...rest);
          },
  }) as Redis;
  const key = `${prefix}-old`;
  expect(await callWhenFull(old, 'SET', key, 'one', 'NX')).toEqual(Buffer.from('OK'));
  expect(await callWhenFull(old, 'SET', key, 'two', 'NX')).toBeNull();
  expect(await redis.get(key)).toBe('one');
  // Asked once, and remembered.
  expect(sent).toEqual(['EVALSHA', 'EVAL with flags', 'EVALSHA', 'EVAL', 'EVALSHA', 'EVAL']);
});

describe('a server that is full', () => {
  test('takes what brings something out of it, and nothing else', async () => {
    const own = await ownRedis();
    onTestFinished(own.remove);
    await own.start();
    const full = connectRedis(own.url, 'tests-full', { kind: 'patient' }, silentLog);
    onTestFinished(() => full.disconnect());
    await full.config('SET', 'maxmemory', '1');
    await expect(full.set('key', '1')).rejects.toThrow('OOM');
    await callWhenFull(full, 'SET', 'key', 1);
    expect(await full.get('key')).toBe('1');
    const many = Array.from({ length: 12_000 }, (_, m) => `m${m}`);
    await addWhenFull(full, 'set', new Set(many));
    expect(await full.scard('set')).toBe(many.length);
  });
});
