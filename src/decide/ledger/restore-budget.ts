/**
 * Puts back what an offer's budget held, out of a replay of the log (replay-ledgers.ts). It is gathered beside the ledger and
 * takes its place in one step, in which what the ledger alone knows (decided or settled since the log ends) is carried over. So
 * whoever decides meanwhile goes on, and to do it again changes nothing.
 */
import type { Offer } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import type { Keys } from '../../infra/keys.ts';
import { namedScript } from '../../infra/named-script.ts';
import type { Redis } from '../../infra/redis.ts';

import {
  type BudgetPeriod,
  budgetLimits,
  budgetPeriod,
  periodNamed,
  validityOf,
} from '../../offers/budget-period.ts';
import { type BudgetEntryState, budgetEntryLua, isOut, writeBudgetEntry } from './budget-entry.ts';
import { periodKeptMs } from './budget-scripts.ts';
import type { ReplayedReservation } from './replayed-budgets.ts';

const FIELDS = [
  'reservedMinor',
  'reservedCount',
  'confirmedMinor',
  'confirmedCount',
  'unbudgetedMinor',
  'unbudgetedCount',
] as const;
type Sums = Record<(typeof FIELDS)[number], number>;

export type BudgetRestoring = {
  /** Of this offer; in any order, each once. */
  add: (reservation: ReplayedReservation) => Promise<void>;
  /** Puts it in force; answers how many reservations and redemptions there are. */
  finish: () => Promise<number>;
};

const entriesAtOnce = 500;
/** A redemption of long ago is known to be a repeat for this long from now. */
const leastKnownMs = dayMs;

/**
 * Then of each period: name, until when it is kept, and the sums. What stands in the ledger alone, or has been confirmed or
 * become dearer since, is added to what was gathered. Answers how many entries there are.
 */
const takePlace = namedScript(
  {
    keys: ['entries', 'dueTimes', 'gatheredEntries', 'gatheredDueTimes'],
    args: ['now', 'periodKeys', 'keepUntil'],
  },
  `${budgetEntryLua}
local now, keepUntil = tonumber(now), tonumber(keepUntil)
local fields = {'${FIELDS.join("','")}'}
local restored = {}
local function keep(key, untilMs)
  if redis.call('EXISTS', key) == 0 then return end
  if untilMs < 0 then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, math.max(1, untilMs - now)) end
end
for i = firstOfRest, #ARGV, 2 + #fields do
  local key = periodKeys .. ARGV[i]
  restored[ARGV[i]] = true
  redis.call('DEL', key)
  for f = 1, #fields do redis.call('HSET', key, fields[f], ARGV[i + 1 + f]) end
  keep(key, tonumber(ARGV[i + 1]))
end
local function add(period, field, by)
  if restored[period] then redis.call('HINCRBY', periodKeys .. period, field, by) end
end
local live = redis.call('HGETALL', entries)
for i = 1, #live, 2 do
  local id, entry = live[i], live[i + 1]
  local due = redis.call('ZSCORE', dueTimes, id)
  local state, period, cost = parse(entry)
  if state and due and tonumber(due) > now then
    local mine, myPeriod, held = parse(redis.call('HGET', gatheredEntries, id))
    local wins = not mine or (isOut(mine) and (not isOut(state) or cost > held))
    if wins then
      if mine then
        add(myPeriod, 'reservedMinor', 0 - held)
        add(myPeriod, 'reservedCount', -1)
      end
      if isOut(state) then
        add(period, 'reservedMinor', cost)
        add(period, 'reservedCount', 1)
      elseif state == CONFIRMED then
        local inBudget = mine and math.min(cost, held) or cost
        add(period, 'confirmedMinor', inBudget)
        add(period, 'confirmedCount', 1)
        add(period, 'unbudgetedMinor', cost - inBudget)
      else
        add(period, 'unbudgetedMinor', cost)
        add(period, 'unbudgetedCount', 1)
      end
      redis.call('HSET', gatheredEntries, id, entry)
      redis.call('ZADD', gatheredDueTimes, due, id)
    end
  end
end
local function replace(key, gathered)
  redis.call('DEL', key)
  if redis.call('EXISTS', gathered) == 1 then redis.call('RENAME', gathered, key) end
  keep(key, keepUntil)
end
replace(entries, gatheredEntries)
replace(dueTimes, gatheredDueTimes)
return redis.call('HLEN', entries)
`,
);

export async function restoreBudget(
  offer: Offer,
  { redis, keys, now }: { redis: Redis; keys: Keys; now: number },
): Promise<BudgetRestoring> {
  const { offerId, budget = { period: 'total' as const, pacing: 'none' as const } } = offer;
  const [entries, due] = [keys.budgetRestored(offerId), keys.budgetRestoredDue(offerId)];
  const periods = new Map<string, { sums: Sums; keptUntil: number }>();
  const late: ReplayedReservation[] = [];
  let waiting: { id: string; entry: string; due: number }[] = [];
  // Of one that was broken off.
  await redis.del(entries, due);

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    await redis.hset(entries, ...waiting.flatMap(({ id, entry }) => [id, entry]));
    await redis.zadd(due, ...waiting.flatMap((one) => [one.due, one.id]));
    waiting = [];
  }

  /** undefined: of a period that is over for so long that the ledger has forgotten it. */
  function periodOf({ period, at, until }: ReplayedReservation): Sums | undefined {
    const known = periods.get(period);
    const validity = validityOf(offer);
    const bounds = periodNamed(period, validity) ?? budgetPeriod(budget, validity, at);
    const keptUntil = keptUntilOf(bounds, Math.max(until, at));
    if (keptUntil !== forEver && keptUntil <= now && known === undefined) return undefined;
    const sums = known?.sums ?? (Object.fromEntries(FIELDS.map((field) => [field, 0])) as Sums);
    const isEndless = keptUntil === forEver || known?.keptUntil === forEver;
    periods.set(period, {
      sums,
      keptUntil: isEndless ? forEver : Math.max(keptUntil, known?.keptUntil ?? 0),
    });
    return sums;
  }

  async function note(state: BudgetEntryState, reservation: ReplayedReservation): Promise<void> {
    const { id, period, toldMinor, costMinor, until } = reservation;
    const out = isOut({ state });
    const entry = writeBudgetEntry({ state, period, costMinor: out ? costMinor : toldMinor });
    waiting.push({ id, entry, due: out ? until : Math.max(until, now + leastKnownMs) });
    if (waiting.length >= entriesAtOnce) await flush();
  }

  return {
    async add(reservation) {
      if (reservation.state === 'late') {
        late.push(reservation);
        return;
      }
      const sums = periodOf(reservation);
      if (sums === undefined) return;
      if (reservation.state === 'reserved') {
        sums.reservedMinor += reservation.costMinor;
        sums.reservedCount += 1;
        await note(reservation.isPaidWhenMade ? 'payable' : 'reserved', reservation);
      } else if (reservation.state === 'beyond') {
        sums.unbudgetedMinor += reservation.costMinor;
        sums.unbudgetedCount += 1;
        await note('unbudgeted', reservation);
      } else {
        sums.confirmedMinor += reservation.costMinor;
        sums.confirmedCount += 1;
        sums.unbudgetedMinor += reservation.toldMinor - reservation.costMinor;
        await note('confirmed', reservation);
      }
    },

    async finish() {
      for (const one of late.sort((a, b) => a.at - b.at)) {
        const sums = periodOf(one);
        if (sums === undefined) continue;
        const minor = sums.reservedMinor + sums.confirmedMinor + one.costMinor;
        const count = sums.reservedCount + sums.confirmedCount + 1;
        const limits = one.limits ?? budgetLimits(budget);
        const isCovered = minor <= limits.amountMinor && count <= limits.count;
        sums[isCovered ? 'confirmedMinor' : 'unbudgetedMinor'] += one.costMinor;
        sums[isCovered ? 'confirmedCount' : 'unbudgetedCount'] += 1;
        await note(isCovered ? 'confirmed' : 'unbudgeted', one);
      }
      await flush();
      const kept = [...periods.values()].map(({ keptUntil }) => keptUntil);
      const keepUntil = kept.includes(forEver) || kept.length === 0 ? forEver : Math.max(...kept);
      const sums = [...periods].flatMap(([name, { sums: of, keptUntil }]) => [
        name,
        keptUntil,
        ...FIELDS.map((field) => of[field]),
      ]);
      return Number(
        await takePlace(
          redis,
          {
            entries: keys.budgetReservations(offerId),
            dueTimes: keys.budgetDue(offerId),
            gatheredEntries: entries,
            gatheredDueTimes: due,
            now,
            periodKeys: keys.budgetPeriods(offerId),
            keepUntil,
          },
          sums,
        ),
      );
    },
  };
}

const forEver = -1;

function keptUntilOf({ endsAt }: BudgetPeriod, inUseUntil: number): number {
  return Number.isFinite(endsAt) ? Math.max(endsAt, inUseUntil) + periodKeptMs : forEver;
}
