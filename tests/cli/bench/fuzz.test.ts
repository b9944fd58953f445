/** A short run of what `nextbest bench fuzz` does for longer, over the invented shop. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzzService } from '../../../src/cli/bench/fuzz/fuzz-service.ts';
import { holdFuzz } from '../../../src/cli/bench/fuzz.ts';
import { openApiDocument } from '../../../src/serve/openapi.ts';
import { ROUTES } from '../../../src/serve/routes.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
const pools = {
  customerId: ['anna', 'ben', 'carla'],
  sessionId: ['visit-1'],
  itemId: ['tea-1', 'tea-2', 'tea-3', 'pot-1'],
  offerId: ['news', 'ten-off'],
  name: ['collaborative', 'churn'],
};
let service: TestService;

beforeAll(async () => {
  service = await startTestService({
    redisUrl,
    prefix,
    env: { STREAM_MAX_LENGTH: '20000', REDIS_TIMEOUT_MS: '10000' },
  });
});
afterAll(() => service.close());

test('no request of two thousand is answered with 5xx, hangs, or is refused by anything but a problem', async () => {
  const { findings, calls, callsAnswered, statuses } = await fuzzService({
    url: service.url,
    pid: process.pid,
    requests: 2000,
    connections: 8,
    seed: 1,
    pools,
  });
  expect(findings).toEqual([]);
  const { paths } = openApiDocument(ROUTES, 'x');
  const described = Object.values(paths ?? {}).flatMap((operations) => Object.keys(operations)).length;
  expect(calls).toBe(described);
  // It is no fuzz where nothing gets through: half of all calls are answered at least once.
  expect(callsAnswered).toBeGreaterThan(described / 2);
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '202', '400', '404', '405', '413', '415', '431']),
  );
  expect((await service.call('GET', '/readyz')).status).toBe(200);
});

test('memory that has grown fails the command, as a fault does, and it says which', () => {
  const flat = { seed: 7, faults: 0, warmMb: 200, endMb: 250 };
  expect(() => holdFuzz(flat)).not.toThrow();
  expect(() => holdFuzz({ ...flat, endMb: 251 })).toThrow(/--seed 7: memory went from 200 MB .* to 251 MB/);
  // A service that no longer tells of its memory has not shown that it is flat.
  expect(() => holdFuzz({ ...flat, endMb: Number.NaN })).toThrow('memory');
  expect(() => holdFuzz({ ...flat, faults: 2 })).toThrow('--seed 7: 2 requests');
});
