import { expect, test } from 'vitest';
import { createExplorationBudget, createExplorationPurses } from '../../src/decide/exploration-budget.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { dayMs } from '../../src/domain/time.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();
let shops = 0;
/** Processes of a shop of the test's own. */
function shopOf(maxMinorPerDay: number | null, processes: number, now = () => noon) {
  const keys = createKeys(`${prefix}:exploring-${shops++}`);
  const spent: number[] = [];
  const deps = { redis, keys, now, onSpent: (cost: number) => spent.push(cost) };
  const budgets = Array.from({ length: processes }, () => createExplorationBudget(maxMinorPerDay, deps));
  return { budgets, keys, total: () => spent.reduce((all, cost) => all + cost, 0) };
}

test('several processes together spend what the day has, and no more', async () => {
  const { budgets, total } = shopOf(100, 3);
  for (let round = 0; round < 200; round++)
    for (const budget of budgets) {
      await budget.prepare();
      budget.afford(0.3, true);
    }
  expect(total()).toBeLessThanOrEqual(100);
  // Each may be left with less than one decision costs.
  expect(total()).toBeGreaterThan(100 - 3 * 0.3);
});

test('asked at once, they do not spend it twice either', async () => {
  const { budgets, total } = shopOf(50, 4);
  await Promise.all(
    budgets.map(async (budget) => {
      for (let round = 0; round < 100; round++) {
        await budget.prepare();
        budget.afford(0.5, true);
      }
    }),
  );
  expect(total()).toBeLessThanOrEqual(50);
  expect(total()).toBeGreaterThan(45);
});

test('a decision that costs more than a share gets it the next time, if there is as much', async () => {
  const { budgets, total } = shopOf(100, 1);
  const [budget] = budgets;
  await budget!.prepare();
  expect(budget!.afford(60, true)).toBe(false);
  await budget!.prepare();
  expect(budget!.afford(60, true)).toBe(true);
  await budget!.prepare();
  expect(budget!.afford(60, true)).toBe(false);
  expect(total()).toBe(60);
});

test('asking whether it is there takes nothing', async () => {
  const { budgets, total } = shopOf(10, 1);
  await budgets[0]!.prepare();
  for (let i = 0; i < 100; i++) expect(budgets[0]!.afford(0.1, false)).toBe(true);
  expect(total()).toBe(0);
});

test('each day has its own', async () => {
  let clock = noon;
  const { budgets, keys } = shopOf(1, 1, () => clock);
  const spendAll = async () => {
    let times = 0;
    for (let i = 0; i < 30; i++) {
      await budgets[0]!.prepare();
      if (budgets[0]!.afford(0.1, true)) times++;
    }
    return times;
  };
  expect(await spendAll()).toBeGreaterThanOrEqual(9);
  expect(await spendAll()).toBe(0);
  clock += dayMs;
  expect(await spendAll()).toBeGreaterThanOrEqual(9);
  expect(await redis.ttl(keys.explorationSpent('2026-06-16'))).toBeGreaterThan(dayMs / 1000);
});

test('a variant with a bound of its own spends its own', async () => {
  const keys = createKeys(`${prefix}:exploring-${shops++}`);
  const policy = DecisionPolicy.parse({
    exploration: { maxCostMinorPerDay: 1 },
    experiments: [
      {
        name: 'bold',
        from: '2026-01-01T00:00:00Z',
        variants: [{ name: 'as-it-is' }, { name: 'more', exploration: { maxCostMinorPerDay: 50 } }],
      },
    ],
  });
  const purses = createExplorationPurses(policy, { redis, keys, now: () => noon });
  const affordedOf = async (maxCostMinorPerDay: number | null) => {
    let times = 0;
    for (let i = 0; i < 100; i++) {
      await purses.prepare();
      if (purses.afford(0.5, true, { maxCostMinorPerDay })) times++;
    }
    return times;
  };
  expect(await affordedOf(1)).toBeLessThanOrEqual(2);
  expect(await affordedOf(50)).toBe(100);
  // A bound that nobody has named may cost nothing.
  expect(await affordedOf(null)).toBe(0);
});

test('a policy that says nothing of it has a bound, which null lifts', () => {
  const boundOf = (exploration: object) =>
    DecisionPolicy.parse({ exploration }).exploration.maxCostMinorPerDay;
  expect(boundOf({})).toBeGreaterThan(0);
  expect(boundOf({ maxCostMinorPerDay: null })).toBeNull();
  expect(boundOf({ maxCostMinorPerDay: 0 })).toBe(0);
});

test('a bound is spent once all of it has been given out, and then of what costs more than is left at hand', async () => {
  const { budgets } = shopOf(10, 1);
  const [budget] = budgets;
  await budget!.prepare();
  // A fiftieth is at hand, and there is more.
  expect(budget!.afford(5, true)).toBe(false);
  expect(budget!.isSpent(5)).toBe(false);
  await budget!.prepare();
  for (let spent = 0; spent < 99; spent++) {
    expect(budget!.afford(0.1, true)).toBe(true);
    await budget!.prepare();
  }
  expect(budget!.afford(0.2, true)).toBe(false);
  // Asked for more, the day has none.
  await budget!.prepare();
  expect(budget!.isSpent(0.2)).toBe(true);
  expect(budget!.afford(0.2, true)).toBe(false);
  expect(budget!.isSpent(0.05)).toBe(false);
  expect(budget!.afford(0.05, true)).toBe(true);
  const { budgets: free } = shopOf(null, 1);
  expect(free[0]!.isSpent(1e9)).toBe(false);
});

test('without a bound all is affordable, with a bound of 0 nothing is', async () => {
  const free = shopOf(null, 1);
  expect(free.budgets[0]!.afford(1e9, true)).toBe(true);
  expect(free.total()).toBe(1e9);
  const none = shopOf(0, 1);
  await none.budgets[0]!.prepare();
  expect(none.budgets[0]!.afford(0.01, true)).toBe(false);
});
