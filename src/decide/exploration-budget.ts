/**
 * What exploring may cost in a day (UTC), shared by all processes: each takes small shares of it from Redis and spends
 * them by itself, so that a decision need not ask. Together they never spend more than the day has. Who ends gives back what
 * it has not spent; of a process that is killed it is lost.
 */
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { type ExplorationSettings, purseOf, shopPurse } from '../offers/exploration.ts';

export type ExplorationBudget = {
  /** Sees to it that some is at hand, if there is any. Rejects when Redis is away. */
  prepare: () => Promise<void>;
  /** Is that much at hand? With `take` it is taken. Minor units. */
  afford: (costMinor: number, take: boolean) => boolean;
  /** The day's bound has been reached, and what is at hand of it is less. Asks for no more, as `afford` does of what it refuses. */
  isSpent: (costMinor: number) => boolean;
  /** What is left of the day, as far as was known when some was taken last; minor units, Infinity without a bound. */
  leftMinor: () => number;
  /** What is at hand goes back to the others. To be called when nothing is to be explored any more. */
  giveBack: () => Promise<void>;
};

export type ExplorationBudgetDeps = {
  redis: Redis;
  keys: Keys;
  now: () => number;
  onSpent?: (costMinor: number) => void;
};

/** Part of the day's that a process takes at a time. */
const shareOfDay = 1 / 50;
/** Whoever was told that nothing is left asks again after this: others may have given some back. */
const askAgainMs = 60_000;
const counterTtlSeconds = 2 * 86_400;

/** `spentKey`: the day's counter. Answers how much is granted, and what the day has left besides. */
const takeShare = namedScript(
  { keys: ['spentKey'], args: ['bound', 'wanted', 'ttlSeconds'] },
  `
local spent = tonumber(redis.call('GET', spentKey) or '0')
local granted = math.min(tonumber(wanted), tonumber(bound) - spent)
if granted <= 0 then return {'0', '0'} end
redis.call('INCRBYFLOAT', spentKey, string.format('%.6f', granted))
redis.call('EXPIRE', spentKey, ttlSeconds)
return {string.format('%.6f', granted), string.format('%.6f', tonumber(bound) - spent - granted)}
`,
);
/** A counter that has been lost meanwhile counts anew from 0, and from no less. */
const returnShare = namedScript(
  { keys: ['spentKey'], args: ['returned'] },
  `
local spent = tonumber(redis.call('GET', spentKey) or '0')
local back = math.min(tonumber(returned), spent)
if back > 0 then redis.call('INCRBYFLOAT', spentKey, string.format('%.6f', -back)) end
`,
);

/** A purse for the shop, and one for each variant of an experiment that names a bound of its own, whatever others have. */
export type ExplorationPurses = {
  prepare: () => Promise<void>;
  afford: (costMinor: number, take: boolean, by: Pick<ExplorationSettings, 'purse'>) => boolean;
  isSpent: (costMinor: number, by: Pick<ExplorationSettings, 'purse'>) => boolean;
  leftMinor: (by: Pick<ExplorationSettings, 'purse'>) => number;
  giveBack: () => Promise<void>;
};

export function createExplorationPurses(
  { exploration, experiments }: Pick<DecisionPolicy, 'exploration' | 'experiments'>,
  deps: ExplorationBudgetDeps,
): ExplorationPurses {
  const purses = new Map([[shopPurse, createExplorationBudget(exploration.maxCostMinorPerDay, deps)]]);
  for (const { name, variants } of experiments)
    for (const variant of variants) {
      const bound = variant.exploration?.maxCostMinorPerDay;
      if (bound === undefined) continue;
      const purse = purseOf({ name, variant: variant.name });
      purses.set(purse, createExplorationBudget(bound, deps, `:${purse}`));
    }
  const all = async (of: (purse: ExplorationBudget) => Promise<void>) => {
    await Promise.all([...purses.values()].map(of));
  };
  return {
    prepare: () => all((purse) => purse.prepare()),
    afford: (costMinor, take, { purse }) => purses.get(purse)?.afford(costMinor, take) ?? false,
    isSpent: (costMinor, { purse }) => purses.get(purse)?.isSpent(costMinor) ?? false,
    leftMinor: ({ purse }) => purses.get(purse)?.leftMinor() ?? 0,
    giveBack: () => all((purse) => purse.giveBack()),
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
      leftMinor: () => Number.POSITIVE_INFINITY,
      giveBack: async () => {},
    };

  const share = maxMinorPerDay * shareOfDay;
  let known = { number: Number.NaN, day: '' };
  const today = () => {
    const number = Math.floor(now() / dayMs);
    if (number !== known.number) known = { number, day: new Date(number * dayMs).toISOString().slice(0, 10) };
    return known.day;
  };
  /** `exhaustedAt`: when there was no more to be had; `othersMinor`: what was left then for all. */
  const emptyHand = (day: string, exhaustedAt: number | undefined) => ({
    day,
    leftMinor: 0,
    othersMinor: 0,
    wantedMinor: share,
    exhaustedAt,
  });
  let hand = emptyHand('', undefined);
  let isOver = false;
  let taking: Promise<void> | undefined;

  function handOfToday(): typeof hand {
    const day = today();
    if (hand.day !== day) hand = emptyHand(day, maxMinorPerDay === 0 ? Number.POSITIVE_INFINITY : undefined);
    return hand;
  }

  async function take(mine: typeof hand): Promise<void> {
    const wanted = Math.max(share, mine.wantedMinor - mine.leftMinor);
    const reply = (await takeShare(redis, {
      spentKey: keys.explorationSpent(`${mine.day}${name}`),
      bound: maxMinorPerDay ?? 0,
      wanted,
      ttlSeconds: counterTtlSeconds,
    })) as [string, string];
    const [granted = 0, others = 0] = reply.map(Number);
    mine.leftMinor += granted;
    mine.othersMinor = others;
    mine.wantedMinor = share / 2;
    mine.exhaustedAt = granted < wanted - 1e-6 ? now() : undefined;
  }

  return {
    prepare: async () => {
      const mine = handOfToday();
      const isWaiting = mine.exhaustedAt !== undefined && now() - mine.exhaustedAt < askAgainMs;
      if (isOver || isWaiting || mine.leftMinor >= mine.wantedMinor) return;
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
      const { exhaustedAt, leftMinor } = handOfToday();
      return exhaustedAt !== undefined && costMinor > leftMinor;
    },
    leftMinor: () => {
      const { leftMinor, othersMinor } = handOfToday();
      return leftMinor + othersMinor;
    },
    giveBack: async () => {
      isOver = true;
      await taking;
      const { day, leftMinor } = hand;
      if (leftMinor <= 0) return;
      hand = emptyHand(day, undefined);
      const spentKey = keys.explorationSpent(`${day}${name}`);
      await returnShare(redis, { spentKey, returned: leftMinor });
    },
  };
}
