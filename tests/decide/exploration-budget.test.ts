import { expect, test } from 'vitest';
import { createExplorationBudget, createExplorationPurses } from '../../src/decide/exploration-budget.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { dayMs } from '../../src/domain/time.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { compileExperiments } from '../../src/offers/experiments.ts';
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

test('a variant with a bound of its own spends its own, whatever sum the shop or another variant has', async () => {
  const keys = createKeys(`${prefix}:exploring-${shops++}`);
  const policy = DecisionPolicy.parse({
    exploration: { maxCostMinorPerDay: 10 },
    experiments: ['bold', 'bolder'].map((name) => ({
      name,
      from: '2026-01-01T00:00:00Z',
      variants: [
        { name: 'as-it-is' },
        { name: 'same', exploration: { maxCostMinorPerDay: 10 } },
        { name: 'more', exploration: { maxCostMinorPerDay: 50 } },
      ],
    })),
  });
  const purses = createExplorationPurses(policy, { redis, keys, now: () => noon });
  const spentOf = async (purse: string) => {
    let spent = 0;
    for (let i = 0; i < 600; i++) {
      await purses.prepare();
      if (purses.afford(0.1, true, { purse })) spent += 0.1;
    }
    return spent;
  };
  // What a decision for a subject of the variant is paid from.
  const purseFor = (experiment: string, variant: string) => {
    const experiments = compileExperiments(policy);
    for (let n = 0; n < 1000; n++) {
      const { exploration, experiment: first, furtherExperiments } = experiments.settingsFor(`c${n}`, noon);
      const others = [first, ...furtherExperiments].filter((one) => one?.name !== experiment);
      const own = [first, ...furtherExperiments].find((one) => one?.name === experiment);
      if (own?.variant === variant && others.every((one) => one?.variant === 'as-it-is'))
        return exploration.purse;
    }
    throw new Error('nobody is in that variant');
  };
  expect(await spentOf(purseFor('bold', 'as-it-is'))).toBeCloseTo(10, 0);
  expect(await spentOf(purseFor('bold', 'same'))).toBeCloseTo(10, 0);
  expect(await spentOf(purseFor('bolder', 'same'))).toBeCloseTo(10, 0);
  expect(await spentOf(purseFor('bold', 'more'))).toBeCloseTo(50, 0);
  expect(await spentOf(purseFor('bold', 'as-it-is'))).toBeLessThan(0.2);
  // One that nobody has named may cost nothing.
  expect(await spentOf('another:variant')).toBe(0);
});

test('what a process has not spent when it ends is there for the others, also for who was told that nothing is left', async () => {
  let clock = noon;
  const { budgets, keys, total } = shopOf(100, 60, () => clock);
  // Each takes a share, spends a little of it, and ends.
  for (const budget of budgets.slice(0, 50)) {
    await budget.prepare();
    expect(budget.afford(0.5, true)).toBe(true);
  }
  const late = budgets[50]!;
  await late.prepare();
  expect(late.afford(0.5, false)).toBe(false);
  for (const budget of budgets.slice(0, 50)) await budget.giveBack();
  expect(Number(await redis.get(keys.explorationSpent('2026-06-15')))).toBeCloseTo(25);
  // Who has ended takes no more.
  await budgets[0]!.prepare();
  expect(budgets[0]!.afford(0.5, true)).toBe(false);
  clock += 61_000;
  for (let i = 0; i < 400; i++) {
    await late.prepare();
    late.afford(0.5, true);
  }
  expect(total()).toBeLessThanOrEqual(100);
  expect(total()).toBeGreaterThan(99);
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
