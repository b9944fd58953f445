import { expect, test } from 'vitest';
import { benchBudgets } from '../../../src/cli/bench/budgets.ts';
import { testRedis } from '../../support/redis.ts';

const { url, prefix } = testRedis();
/** Longer by the environment: BUDGET_STORM_SECONDS=600. */
const seconds = Number(process.env.BUDGET_STORM_SECONDS ?? 6);

test.each([
  { period: 'total', pacing: 'none' },
  { period: 'day', pacing: 'none' },
  { period: 'week', pacing: 'even' },
] as const)(
  '64 clients, some of them killed: confirmed + reserved ≤ budget ($period, pacing $pacing) at every look, and what is unused comes back',
  async ({ period, pacing }) => {
    const line = await benchBudgets(
      {
        redisUrl: url,
        keyPrefix: `${prefix}-${period}`,
        clients: 64,
        processes: 4,
        seconds,
        seed: 1,
        period,
        pacing,
      },
      () => {},
    );
    expect(line.violation).toBeNull();
    expect(line.kills).toBeGreaterThan(0);
    expect(line.looks).toBeGreaterThan(50);
    expect(line.periods).toBeGreaterThanOrEqual(period === 'total' ? 1 : 3);
    // The budget was used up, or nothing could have broken it.
    expect(line.mostMinor).toBeGreaterThan(0.9 * line.budget.amountMinor);
    expect(line.confirmedCount).toBeGreaterThan(0);
  },
  (seconds + 60) * 1000,
);
