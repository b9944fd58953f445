/** The asks of `bench freshness`, on two services of a small shop: consent, dismissals, purchases and views count at once. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { copyId } from '../../../src/cli/bench/copied-records.ts';
import { askAll, freshKindsOf, holdFresh } from '../../../src/cli/bench/freshness.ts';
import { serviceCalls } from '../../../src/cli/bench/service-calls.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
const customers = 300;
let services: TestService[];

beforeAll(async () => {
  services = [await startTestService({ redisUrl, prefix }), await startTestService({ redisUrl, prefix })];
  const [one] = services;
  await one?.call('POST', '/offers', [
    {
      offerId: 'small',
      name: 'A little off',
      benefit: { kind: 'amountOff', amountMinor: 10 },
      channels: ['web', 'email'],
      // Else no e-mail is worth what annoyance is assumed to cost.
      retention: true,
      priorityLever: 100,
    },
  ]);
  const bought = Array.from({ length: customers }, (_, n) => ({
    type: 'purchase',
    customerId: copyId(n),
    lines: [{ itemId: `i${1 + (n % 3)}`, quantity: 1, unitPriceMinor: 2000 }],
  }));
  expect((await one?.call('POST', '/events', bought))?.body.accepted).toBe(customers);
  for (const service of services)
    await eventually(async () => {
      const asked = { customerId: 'somebody', channel: 'web', dryRun: true };
      expect((await service.call('POST', '/offers/decide', asked)).body.placements[0].offers).toHaveLength(1);
    });
});
afterAll(async () => {
  for (const service of services) await service.close();
});

test('what is posted to one process is in the next answer of another', async () => {
  const { call, close } = serviceCalls(
    services.map(({ url }) => url),
    () => {},
  );
  onTestFinished(close);
  const { seen, skipped } = await askAll({ asks: 200, processes: 2, callers: 4, seed: 1 }, customers, call);
  const kinds = freshKindsOf(1);
  for (const kind of kinds) {
    expect(seen[kind]).toHaveLength(200 / kinds.length);
    expect(
      seen[kind].filter(({ reflected }) => !reflected),
      kind,
    ).toEqual([]);
  }
  expect(skipped).toBeLessThan(customers - 200);
});

test('also while 15 others tell of the same customer', async () => {
  const { call, close } = serviceCalls(
    services.map(({ url }) => url),
    () => {},
  );
  onTestFinished(close);
  const options = { asks: 24, processes: 2, callers: 1, writers: 16, seed: 3 };
  const { seen, beside } = await askAll(options, customers, call, 200);
  for (const kind of freshKindsOf(16)) {
    expect(seen[kind], kind).toHaveLength(6);
    expect(
      seen[kind].filter(({ reflected }) => !reflected),
      kind,
    ).toEqual([]);
  }
  expect(beside.events).toBeGreaterThan(24 * 15);
  expect(beside.deferred).toBe(0);
});

test('an answer that does not know of it is told from one that does', async () => {
  const { call: real, close } = serviceCalls(
    services.map(({ url }) => url),
    () => {},
  );
  onTestFinished(close);
  // A process that answers from what it has kept, whatever happens.
  const kept = new Map<string, unknown>();
  const deaf: typeof real = async (process, method, path, body) => {
    if (method !== 'GET') return real(process, method, path, body);
    const asks = Number(kept.get(`${path} asks`) ?? 0) + 1;
    kept.set(`${path} asks`, asks);
    if (asks > 2 && asks < 5) return kept.get(path);
    const answer = await real(process, method, path, body);
    kept.set(path, answer);
    return answer;
  };
  const { seen } = await askAll({ asks: 1, processes: 2, callers: 1, seed: 2 }, customers, deaf);
  expect(seen.purchase.map(({ reflected }) => reflected)).toEqual([false]);
});

test('an answer that was not fresh fails the command, and so does a page beside it without an answer', () => {
  expect(() => holdFresh({ share: 1, loadErrors: 0 })).not.toThrow();
  expect(() => holdFresh({ share: 0.9999, loadErrors: 0 })).toThrow('did not know of what had been posted');
  expect(() => holdFresh({ share: 1, loadErrors: 3 })).toThrow('3 pages');
});
