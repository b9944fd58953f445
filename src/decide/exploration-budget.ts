/**
 * What exploring may cost in a day (UTC), shared by all processes: each takes small shares of it from Redis and spends
 * them by itself, so that a decision need not ask. Together they never spend more than the day has; a share that a process
 * has not spent when it ends is lost.
 */
import type { DecisionPolicy, Exploration } from '../domain/decision-policy.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';

export type ExplorationBudget = {
  /** Sees to it that some is at hand, if there is any. Rejects when Redis is away. */
  prepare: () => Promise<void>;
  /** Is that much at hand? With `take` it is taken. Minor units. */
  afford: (costMinor: number, take: boolean) => boolean;
  /** The day's bound has been reached, and what is at hand of it is less. Asks for no more, as `afford` does of what it refuses. */
  isSpent: (costMinor: number) => boolean;
};

export type ExplorationBudgetDeps = {
  redis: Redis;
  keys: Keys;
  now: () => number;
  onSpent?: (costMinor: number) => void;
};

/** Part of the day's that a process takes at a time. */
const shareOfDay = 1 / 50;
const counterTtlSeconds = 2 * 86_400;

/** `spentKey`: the day's counter. Answers how much is granted. */
const takeShare = namedScript(
  { keys: ['spentKey'], args: ['bound', 'wanted', 'ttlSeconds'] },
  `
local spent = tonumber(redis.call('GET', spentKey) or '0')
local granted = math.min(tonumber(wanted), tonumber(bound) - spent)
if granted <= 0 then return '0' end
redis.call('INCRBYFLOAT', spentKey, string.format('%.6f', granted))
redis.call('EXPIRE', spentKey, ttlSeconds)
return string.format('%.6f', granted)
`,
);

/** A purse for the shop, and one for each other bound that a variant of an experiment has. */
export function createExplorationPurses(
  { exploration, experiments }: Pick<DecisionPolicy, 'exploration' | 'experiments'>,
  deps: ExplorationBudgetDeps,
): Pick<ExplorationBudget, 'prepare'> & {
  afford: (costMinor: number, take: boolean, by: Pick<Exploration, 'maxCostMinorPerDay'>) => boolean;
  isSpent: (costMinor: number, by: Pick<Exploration, 'maxCostMinorPerDay'>) => boolean;
} {
  const shop = exploration.maxCostMinorPerDay;
  const purses = new Map([[shop, createExplorationBudget(shop, deps)]]);
  for (const { variants } of experiments)
    for (const variant of variants) {
      const bound = variant.exploration?.maxCostMinorPerDay;
      if (bound !== undefined && !purses.has(bound))
        purses.set(bound, createExplorationBudget(bound, deps, `:${bound}`));
    }
  return {
    prepare: async () => {
      await Promise.all([...purses.values()].map((purse) => purse.prepare()));
    },
    afford: (costMinor, take, { maxCostMinorPerDay }) =>
      purses.get(maxCostMinorPerDay)?.afford(costMinor, take) ?? false,
    isSpent: (costMinor, { maxCostMinorPerDay }) =>
      purses.get(maxCostMinorPerDay)?.isSpent(costMinor) ?? false,
  };
}

/** `maxMinorPerDay` null = no bound. `name` tells counters of a day apart. */
export function createExplorationBudget(
  maxMinorPerDay: number | null,
  { redis, keys, now, onSpent }: ExplorationBudgetDeps,
  name = '',
): ExplorationBudget {
  const spent = (costMinor: number) => {
    onSpent?.(costMinor);
    return true;
  };
  if (maxMinorPerDay === null)
    return {
      prepare: async () => {},
      afford: (costMinor, take) => (take ? spent(costMinor) : true),
      isSpent: () => false,
    };

  const share = maxMinorPerDay * shareOfDay;
  let known = { number: Number.NaN, day: '' };
  const today = () => {
    const number = Math.floor(now() / dayMs);
    if (number !== known.number) known = { number, day: new Date(number * dayMs).toISOString().slice(0, 10) };
    return known.day;
  };
  let hand = { day: '', leftMinor: 0, wantedMinor: share, exhausted: false };
  let taking: Promise<void> | undefined;

  function handOfToday(): typeof hand {
    const day = today();
    if (hand.day !== day) hand = { day, leftMinor: 0, wantedMinor: share, exhausted: maxMinorPerDay === 0 };
    return hand;
  }

  async function take(mine: typeof hand): Promise<void> {
    const wanted = Math.max(share, mine.wantedMinor - mine.leftMinor);
    const granted = Number(
      await takeShare(redis, {
        spentKey: keys.explorationSpent(`${mine.day}${name}`),
        bound: maxMinorPerDay ?? 0,
        wanted,
        ttlSeconds: counterTtlSeconds,
      }),
    );
    mine.leftMinor += granted;
    mine.wantedMinor = share / 2;
    // Nothing is ever put back.
    mine.exhausted = granted < wanted - 1e-6;
  }

  return {
    prepare: async () => {
      const mine = handOfToday();
      if (mine.exhausted || mine.leftMinor >= mine.wantedMinor) return;
      taking ??= take(mine).finally(() => {
        taking = undefined;
      });
      await taking;
    },
    afford: (costMinor, take) => {
      const mine = handOfToday();
      if (costMinor > mine.leftMinor) {
        mine.wantedMinor = Math.max(mine.wantedMinor, costMinor);
        return false;
      }
      if (!take) return true;
      mine.leftMinor -= costMinor;
      return spent(costMinor);
    },
    isSpent: (costMinor) => {
      const { exhausted, leftMinor } = handOfToday();
      return exhausted && costMinor > leftMinor;
    },
  };
}
