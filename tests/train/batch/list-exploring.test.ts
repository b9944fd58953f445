import { expect, test } from 'vitest';
import { createExplorationPurses } from '../../../src/decide/exploration-budget.ts';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { shopPurse } from '../../../src/offers/exploration.ts';
import { createListExploring } from '../../../src/train/batch/list-exploring.ts';
import { noon } from '../../support/offers.ts';
import { testRedis } from '../../support/redis.ts';

const { redis, prefix } = testRedis();
let shops = 0;

/** The positions of those who explore, of a list of so many, at 1 each; in a shop of its own, by two threads in turns. */
async function explorersOf(customers: number, maxCostMinorPerDay: number | null, at = noon) {
  const keys = createKeys(`${prefix}:list-exploring-${shops++}`);
  const policy = DecisionPolicy.parse({ exploration: { maxCostMinorPerDay } });
  const threads = [0, 1].map(() => {
    const purses = createExplorationPurses(policy, { redis, keys, now: () => at });
    const exploringFor = createListExploring({ exploringLeft: purses.leftMinor }, () => at);
    return { purses, exploringFor };
  });
  const exploration = { ...policy.exploration, purse: shopPurse };
  const explorers: number[] = [];
  for (let from = 0; from < customers; from += 50) {
    const { purses, exploringFor } = threads[(from / 50) % 2]!;
    await purses.prepare();
    for (let n = from; n < Math.min(customers, from + 50); n++) {
      const own = exploringFor(purses, `c${n}`, customers - from);
      if (own.isSpent(0.01, exploration)) continue;
      if (own.afford(1, true, exploration)) explorers.push(n);
    }
  }
  return explorers;
}

test('of a long list as many explore as the day bears, from its beginning to its end, and others the next day', async () => {
  const today = await explorersOf(10_000, 1000);
  expect(today.length).toBeLessThanOrEqual(1000);
  expect(today.length).toBeGreaterThan(850);
  for (let part = 0; part < 5; part++) {
    const own = today.filter((n) => n >= 2000 * part && n < 2000 * (part + 1)).length;
    // A fifth is 200; their number is as a binomial's, and the first know least of what exploring costs.
    expect(own).toBeGreaterThan(130);
    expect(own).toBeLessThan(270);
  }
  const tomorrow = new Set(await explorersOf(10_000, 1000, noon + dayMs));
  expect(today.filter((n) => tomorrow.has(n)).length).toBeLessThan(today.length / 4);
});

test('all of a list explore where the day bears it', async () => {
  expect(await explorersOf(2, 1000)).toHaveLength(2);
  expect((await explorersOf(3000, 1_000_000)).length).toBeGreaterThan(2400);
  expect(await explorersOf(3000, null)).toHaveLength(3000);
});
