import { expect, test } from 'vitest';
import { createPolicyWatch, policyBeatMs } from '../../src/decide/policy-watch.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

test('processes hear of each other’s policies, once, and of no one that has ended', async () => {
  let clock = 1_000_000;
  const told: string[] = [];
  const watch = (version: string) =>
    createPolicyWatch(version, {
      redis,
      keys,
      now: () => clock,
      onOther: (other) => told.push(`${version} hears of ${other}`),
    });
  const [old, fresh] = [watch('old'), watch('new')];
  await old.beat();
  expect(old.inForce()).toEqual(['old']);
  await fresh.beat();
  await old.beat();
  await old.beat();
  expect(told).toEqual(['new hears of old', 'old hears of new']);
  expect(fresh.inForce()).toEqual(['new', 'old']);

  // The old one has been restarted with the new file, and says no more.
  clock += 3 * policyBeatMs;
  await fresh.beat();
  expect(fresh.inForce()).toEqual(['new']);
  expect(await redis.hkeys(keys.policiesInForce)).toEqual(['new']);
  await watch('old').beat();
  await fresh.beat();
  expect(told.slice(2)).toEqual(['old hears of new', 'new hears of old']);
});
