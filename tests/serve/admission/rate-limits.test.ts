import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Scope } from '../../../src/domain/api-key.ts';
import { createApiKey } from '../../../src/infra/api-keys.ts';
import { connectRedis } from '../../../src/infra/redis.ts';
import {
  createRateLimits,
  type LimitsByScope,
  windowSeconds,
} from '../../../src/serve/admission/rate-limits.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, url: redisUrl, prefix, keys } = testRedis();
const perSecond: LimitsByScope = { read: 1, events: 0, decide: 1, manage: 1, admin: 1 };

function limiter(client = redis) {
  const limits = createRateLimits(client, keys.rateLimits, perSecond);
  onTestFinished(limits.stop);
  const take = (keyId: string, nowMs = performance.now(), scope: Scope = 'read') =>
    limits.take(keyId, scope, nowMs);
  return { take, takeMany: (keyId: string, n: number) => Array.from({ length: n }, () => take(keyId)) };
}

const told = async (keyId: string) => Number(await redis.get(`${keys.rateLimits}:${keyId}:read`));

test('a process lets in what the window has, and not one more', () => {
  const { takeMany } = limiter();
  const standings = takeMany('a', 13);
  expect(standings.map((standing) => standing?.allowed)).toEqual([
    ...Array(windowSeconds).fill(true),
    false,
    false,
    false,
  ]);
  expect(standings.map((standing) => standing?.remaining).slice(0, 11)).toEqual([
    9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0,
  ]);
});

test('keys and scopes have limits of their own; 0 is none', () => {
  const { take, takeMany } = limiter();
  takeMany('b', 11);
  expect(take('b')?.allowed).toBe(false);
  expect(take('other')?.allowed).toBe(true);
  expect(take('b', performance.now(), 'decide')?.allowed).toBe(true);
  for (let n = 0; n < 100; n++) expect(take('b', performance.now(), 'events')).toBeUndefined();
});

test('processes learn of each other, and let in together at most a tenth of the limit more', async () => {
  const first = limiter();
  const second = limiter();
  first.takeMany('c', 8);
  await eventually(async () => expect(await told('c')).toBe(8));
  expect(second.take('c')?.allowed).toBe(true);
  await eventually(async () => expect(await told('c')).toBe(9));
  // 10 less the first's 8 and its own 1 leave 1.
  await eventually(() => expect(second.take('c')?.remaining).toBe(0));
  expect(second.take('c')?.allowed).toBe(false);
  await eventually(async () => expect(await told('c')).toBeGreaterThanOrEqual(10));
  const late = first.takeMany('c', 5).filter((standing) => standing?.allowed);
  // It knew of 2 that were left when it last heard.
  expect(late.length).toBeLessThanOrEqual(2);
  await eventually(() => expect(first.take('c')?.allowed).toBe(false));
});

test('a window that Redis has ended begins anew', async () => {
  const { takeMany, take } = limiter();
  takeMany('d', 11);
  await eventually(async () => expect(await told('d')).toBe(10));
  const standing = take('d');
  expect(standing?.resetMs).toBeLessThanOrEqual(1000 * windowSeconds);
  expect(standing?.resetMs).toBeGreaterThan(0);
  await redis.del(`${keys.rateLimits}:d:read`);
  expect(take('d', performance.now() + 1000 * windowSeconds)?.allowed).toBe(true);
});

test('while Redis is away, each process holds the limit by itself', async () => {
  const away = connectRedis('redis://127.0.0.1:1', 'away', { kind: 'failFast', timeoutMs: 50 }, silentLog);
  onTestFinished(() => away.disconnect());
  const { takeMany, take } = limiter(away);
  const now = performance.now();
  expect(takeMany('e', 30).filter((standing) => standing?.allowed)).toHaveLength(10);
  // A refusal of Redis changes nothing of it.
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(take('e')?.allowed).toBe(false);
  expect(take('e', now + 1000 * windowSeconds + 1000)?.allowed).toBe(true);
});

describe('over HTTP', () => {
  let dataDir: string;
  const services: TestService[] = [];
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'nextbest-limits-'));
    await createApiKey(dataDir, { name: 'any', scopes: ['read'], expiresAt: null }, Date.now());
    const env = { AUTH: 'keys', DATA_DIR: dataDir, RATE_LIMIT_READ: '1', RATE_LIMIT_EVENTS: '0' };
    for (const hotLane of [true, false])
      services.push(await startTestService({ redisUrl, prefix, env, bare: true, hotLane }));
  });
  afterAll(async () => {
    for (const service of services) await service.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('both lanes tell what is left, and when to come again', async () => {
    for (const service of services) {
      const { text, key } = await createApiKey(
        dataDir,
        { name: 'busy', scopes: ['read', 'events'], expiresAt: null },
        Date.now(),
      );
      const headers = { 'x-api-key': text };
      const ask = () => service.call('GET', '/recommendations', undefined, headers);
      await eventually(async () =>
        expect((await service.call('POST', '/events', '[]', headers)).status).not.toBe(401),
      );
      const answers = [];
      for (let n = 0; n < 11; n++) answers.push(await ask());
      expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
      expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"read";q=10;w=10');
      expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"read";r=9;t=\d+$/);
      const refused = answers[10];
      expect(refused?.body).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
      expect(refused?.body.detail).toContain(key.keyId);
      expect(refused?.body.detail).toContain('RATE_LIMIT_READ');
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(10);
      // Other scopes of the same key go on.
      const event = { type: 'visit', customerId: 'anna' };
      expect((await service.call('POST', '/events', event, headers)).status).toBe(202);
    }
  });
});
