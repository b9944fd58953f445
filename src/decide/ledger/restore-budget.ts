/**
 * Puts back what an offer's budget held, out of a replay of the log (replay-ledgers.ts). It is gathered beside the ledger and
 * takes its place in one step, in which what the ledger alone knows (decided or settled since the log ends) is carried over. So
 * whoever decides meanwhile goes on, and to do it again changes nothing.
 */
import type { Offer } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { redisScript } from '../../infra/redis-script.ts';
import {
  type BudgetPeriod,
  budgetLimits,
  budgetPeriod,
  periodNamed,
  validityOf,
} from '../../offers/budget-period.ts';
import { type BudgetEntryState, budgetEntryLua, isOut, writeBudgetEntry } from './budget-entry.ts';
import { periodKeptMs } from './offer-budget.ts';
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
 * KEYS: reservations, due, both as gathered. ARGV: now, start of the periods' keys, until when all is kept (-1 = for ever),
 * then of each period: name, until when it is kept, and the six sums. What stands in the ledger alone, or has been confirmed or
 * become dearer since, is added.
 */
const takePlace = redisScript(`${budgetEntryLua}
local now, prefix, keepUntil = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local fields = {'${FIELDS.join("','")}'}
local restored = {}
local function keep(key, untilMs)
  if redis.call('EXISTS', key) == 0 then return end
  if untilMs < 0 then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, math.max(1, untilMs - now)) end
end
for i = 4, #ARGV, 8 do
  local key = prefix .. ARGV[i]
  restored[ARGV[i]] = true
  redis.call('DEL', key)
  for f = 1, 6 do redis.call('HSET', key, fields[f], ARGV[i + 1 + f]) end
  keep(key, tonumber(ARGV[i + 1]))
end
local function add(period, field, by)
  if restored[period] then redis.call('HINCRBY', prefix .. period, field, by) end
end
local live = redis.call('HGETALL', KEYS[1])
for i = 1, #live, 2 do
  local id, entry = live[i], live[i + 1]
  local due = redis.call('ZSCORE', KEYS[2], id)
  local state, period, cost = parse(entry)
  if state and due and tonumber(due) > now then
    local mine, myPeriod, held = parse(redis.call('HGET', KEYS[3], id))
    local wins = not mine or (isOut(mine) and (not isOut(state) or cost > held))
    if wins then
      if mine then
        add(myPeriod, 'reservedMinor', -held)
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
      redis.call('HSET', KEYS[3], id, entry)
      redis.call('ZADD', KEYS[4], due, id)
    end
  end
end
for k = 1, 2 do
  redis.call('DEL', KEYS[k])
  if redis.call('EXISTS', KEYS[k + 2]) == 1 then redis.call('RENAME', KEYS[k + 2], KEYS[k]) end
  keep(KEYS[k], keepUntil)
end
return redis.call('HLEN', KEYS[1])
`);

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
      const args = [...periods].flatMap(([name, { sums, keptUntil }]) => [
        name,
        keptUntil,
        ...FIELDS.map((field) => sums[field]),
      ]);
      return Number(
        await takePlace(
          redis,
          [keys.budgetReservations(offerId), keys.budgetDue(offerId), entries, due],
          [now, keys.budgetPeriods(offerId), keepUntil, ...args],
        ),
      );
    },
  };
}

const forEver = -1;

function keptUntilOf({ endsAt }: BudgetPeriod, inUseUntil: number): number {
  return Number.isFinite(endsAt) ? Math.max(endsAt, inUseUntil) + periodKeptMs : forEver;
}
