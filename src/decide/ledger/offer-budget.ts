/**
 * What an offer may cost, kept so that it holds whoever decides at once, and whoever is killed in between. Whoever makes an
 * offer reserves the most that it can cost; a redemption confirms what it did cost, a dismissal releases it, and what nobody
 * tells of lapses; but what is paid when it is made is then taken to have been made. Each step is one script on the offer's own
 * keys, so that at every instant
 *
 *   confirmed + reserved ≤ budget        in money and in number, in each period of the budget.
 */
import { moneyMaxMinor } from '../../domain/money.ts';
import { type Benefit, type Offer, PAID_WHEN_MADE } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { redisScript } from '../../infra/redis-script.ts';
import {
  type BudgetLimits,
  type BudgetPeriod,
  budgetLimits,
  budgetPeriod,
  pacedLimits,
  validityOf,
} from '../../offers/budget-period.ts';
import { budgetEntryLua, letterOf } from './budget-entry.ts';

/** As much of an offer as its budget depends on. */
export type BudgetedOffer = Pick<Offer, 'offerId' | 'budget' | 'validFrom' | 'validTo'> & {
  benefit?: Pick<Benefit, 'kind'>;
};

export type Reservation = {
  /** The same id reserves once, however often it is sent; at a higher cost, it takes what is more. */
  id: string;
  /** The most that it can cost, whole minor units. */
  costMinor: number;
};

/** `exhausted`: all of it is out or spent. `paced`: all that may be by now is. */
export type Reserved = 'reserved' | 'exhausted' | 'paced';

/**
 * `unbudgeted`: the reservation had lapsed and nothing was left. The customer has had the offer, so that it is counted, apart
 * from the budget.
 */
export type Confirmed = 'confirmed' | 'repeated' | 'unbudgeted';

export type BudgetState = {
  period: string;
  reservedMinor: number;
  reservedCount: number;
  confirmedMinor: number;
  confirmedCount: number;
  unbudgetedMinor: number;
  unbudgetedCount: number;
};

export type BudgetLedger = {
  /**
   * Of one offer, in the order given; at most `reservationsMax` at once. Reserved until `expiresAt`. Where there is not enough
   * for the higher cost of one that is reserved, that is refused and the reservation stays as it was.
   */
  reserve: (
    offer: BudgetedOffer,
    reservations: readonly Reservation[],
    expiresAt: number,
    now: number,
  ) => Promise<Reserved[]>;
  /**
   * What a script that reserves beside something else wants (`reserveLua`); undefined: the offer has no budget, and nothing is
   * to be reserved.
   */
  prepare: (...wanted: Parameters<BudgetLedger['reserve']>) => PreparedReserve | undefined;
  /**
   * A redemption at this cost. `decidedAt` finds the period where the reservation has lapsed. `isBeyond`: of what has been paid
   * for already, so that it takes none of the budget and is `unbudgeted`. Repeats before `knownUntil` change nothing.
   */
  confirm: (
    offer: BudgetedOffer,
    redeemed: { id: string; costMinor: number; decidedAt: number; knownUntil: number; isBeyond?: boolean },
    now: number,
  ) => Promise<Confirmed>;
  /** Gives back what was not redeemed; what is not reserved stays as it is. */
  release: (offerId: string, id: string, now: number) => Promise<void>;
  /** Forgets these ids: what is reserved is given back, what was spent stays in the sums. Answers how many there were. */
  forget: (offerId: string, ids: readonly string[], now: number) => Promise<number>;
  /** Of the period that `now` is in. What has lapsed is given back first. */
  state: (offer: BudgetedOffer, now: number) => Promise<BudgetState>;
};

/** `reserved`: of the script's answers; undefined: it is to be run again. */
export type PreparedReserve = {
  keys: string[];
  args: (string | number)[];
  reserved: (answers: readonly number[]) => Reserved[] | undefined;
};

export const reservationsMax = 500;

/** How long a period is kept after its end, and after the last of its reservations. */
export const periodKeptMs = 60 * dayMs;

/** Lapsed reservations that one script gives back, so that none takes long. */
const sweptMax = 500;

const noLimit = -1;

/** A script's answer that it is to be run again. */
const moreDue = -1;

/**
 * KEYS: reservations, due. ARGV: now, start of the periods' keys. What an entry says: budget-entry.ts. The periods' keys are of
 * the same hash tag as KEYS, whichever they are. Gives back what has lapsed, and confirms what of it has been paid.
 */
const sweep = `${budgetEntryLua}
local now = tonumber(ARGV[1])
local function add(period, field, by)
  redis.call('HINCRBY', ARGV[2] .. period, field, by)
end
local function free(id, period, cost)
  add(period, 'reservedMinor', -cost)
  add(period, 'reservedCount', -1)
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
local function spend(period, cost)
  add(period, 'confirmedMinor', cost)
  add(period, 'confirmedCount', 1)
end
local function lapse()
  local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ${sweptMax})
  for i = 1, #due, 2 do
    local id = due[i]
    local state, period, cost = parse(redis.call('HGET', KEYS[1], id))
    if state == RESERVED then free(id, period, cost)
    elseif state == PAYABLE then
      free(id, period, cost)
      spend(period, cost)
      redis.call('HSET', KEYS[1], id, written(CONFIRMED, period, cost))
      redis.call('ZADD', KEYS[2], tonumber(due[i + 1]) + ${periodKeptMs}, id)
    else
      redis.call('HDEL', KEYS[1], id)
      redis.call('ZREM', KEYS[2], id)
    end
  end
  return #due / 2
end
local function liveUntil(key, untilMs, wasThere)
  local ttl = redis.call('PTTL', key)
  if untilMs < 0 then redis.call('PERSIST', key)
  -- What is kept for ever stays so: it holds what an endless period has spent.
  elseif not (wasThere and ttl == -1) and untilMs - now > ttl then redis.call('PEXPIRE', key, untilMs - now) end
end
local function known(key) return redis.call('EXISTS', key) == 1 end
local function keptKeys(period)
  local keys = {KEYS[1], KEYS[2], ARGV[2] .. period}
  local wasThere = {known(keys[1]), known(keys[2]), known(keys[3])}
  return function(untilMs)
    for k = 1, 3 do liveUntil(keys[k], untilMs, wasThere[k]) end
  end
end
local function count(period, field) return tonumber(redis.call('HGET', ARGV[2] .. period, field) or '0') end
`;

/**
 * Lua: `reserve(KEYS, ARGV)`. ARGV further: period, expiresAt, until when the period is kept (-1 = for ever), limits in money
 * and number, paced limits in both (-1 = none), the state as a letter, then id and cost of each. Answers for each: 1 reserved
 * (at this cost or more), 0 exhausted, 2 paced; {moreDue}: more has lapsed than one script gives back, and nothing else was
 * done.
 */
export const reserveLua = `
local function reserve(KEYS, ARGV)
${sweep}
if lapse() == ${sweptMax} then return {${moreDue}} end
local period, expiresAt, keepUntil = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local limitMinor, limitCount = tonumber(ARGV[6]), tonumber(ARGV[7])
local pacedMinor, pacedCount, out = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local minor = count(period, 'reservedMinor') + count(period, 'confirmedMinor')
local number = count(period, 'reservedCount') + count(period, 'confirmedCount')
local function above(limit, value) return limit >= 0 and value > limit end
-- The first of a period may be made at once: a small budget would have to wait for the period's end.
local isFirst = minor == 0 and number == 0
local keep = keptKeys(period)
-- What is out may have become dearer: it takes the rest out of the period that it was reserved in. Of one that is over, all may be out.
local function raise(id, state, heldIn, held, cost)
  local more, isNow = cost - held, heldIn == period
  local out = isNow and minor or count(heldIn, 'reservedMinor') + count(heldIn, 'confirmedMinor')
  if above(limitMinor, out + more) then return 0 end
  if isNow and above(pacedMinor, out + more) then return 2 end
  if isNow then minor = minor + more end
  redis.call('HSET', KEYS[1], id, written(state, heldIn, cost))
  add(heldIn, 'reservedMinor', more)
  return 1
end
local answers = {}
for i = 11, #ARGV, 2 do
  local id, cost = ARGV[i], tonumber(ARGV[i + 1])
  local state, heldIn, held = parse(redis.call('HGET', KEYS[1], id))
  if isOut(state) and cost > held then answers[#answers + 1] = raise(id, state, heldIn, held, cost)
  elseif state then answers[#answers + 1] = 1
  elseif above(limitMinor, minor + cost) or above(limitCount, number + 1) then answers[#answers + 1] = 0
  elseif not isFirst and (above(pacedMinor, minor + cost) or above(pacedCount, number + 1)) then
    answers[#answers + 1] = 2
  else
    isFirst = false
    minor = minor + cost
    number = number + 1
    redis.call('HSET', KEYS[1], id, written(out, period, ARGV[i + 1]))
    redis.call('ZADD', KEYS[2], expiresAt, id)
    add(period, 'reservedMinor', cost)
    add(period, 'reservedCount', 1)
    answers[#answers + 1] = 1
  end
end
keep(keepUntil)
return answers
end
`;
const reserveScript = redisScript(`${reserveLua} return reserve(KEYS, ARGV)`);

/** ARGV further: period, id, cost, limits in money and number, until when a repeat is known, and the period is kept. */
const confirmScript = redisScript(`${sweep}
local period, id, cost = ARGV[3], ARGV[4], tonumber(ARGV[5])
local limitMinor, limitCount = tonumber(ARGV[6]), tonumber(ARGV[7])
local knownUntil, keepUntil = tonumber(ARGV[8]), tonumber(ARGV[9])
local state, reservedIn, held = parse(redis.call('HGET', KEYS[1], id))
if state == CONFIRMED or state == UNBUDGETED then return 2 end
-- Paid by now, and not swept yet.
if state == PAYABLE and tonumber(redis.call('ZSCORE', KEYS[2], id)) <= now then return 2 end
local answer = 1
local inBudget, beyond = cost, 0
if isOut(state) then
  period = reservedIn
  inBudget = math.min(cost, held)
  beyond = cost - inBudget
  free(id, period, held)
else
  local minor = count(period, 'reservedMinor') + count(period, 'confirmedMinor')
  local number = count(period, 'reservedCount') + count(period, 'confirmedCount')
  if (limitMinor >= 0 and minor + cost > limitMinor) or (limitCount >= 0 and number + 1 > limitCount) then
    inBudget, beyond, answer = 0, cost, 0
  end
end
local keep = keptKeys(period)
if answer == 1 then
  add(period, 'confirmedMinor', inBudget)
  add(period, 'confirmedCount', 1)
else add(period, 'unbudgetedCount', 1) end
if beyond > 0 then add(period, 'unbudgetedMinor', beyond) end
redis.call('HSET', KEYS[1], id, written(answer == 1 and CONFIRMED or UNBUDGETED, period, cost))
redis.call('ZADD', KEYS[2], knownUntil, id)
keep(keepUntil)
return answer
`);

/** ARGV further: id. */
const releaseScript = redisScript(`${sweep}
local state, period, held = parse(redis.call('HGET', KEYS[1], ARGV[3]))
if isOut(state) then free(ARGV[3], period, held) end
return 1
`);

/** ARGV further: ids. What is paid when it is made may have been made: it stays spent. */
const forgetScript = redisScript(`${sweep}
local known = 0
for i = 3, #ARGV do
  local state, period, held = parse(redis.call('HGET', KEYS[1], ARGV[i]))
  if state then known = known + 1 end
  if isOut(state) then
    free(ARGV[i], period, held)
    if state == PAYABLE then spend(period, held) end
  elseif state then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return known
`);

/** ARGV further: period. */
const stateScript = redisScript(`${sweep}
if lapse() == ${sweptMax} then return ${moreDue} end
return redis.call('HGETALL', ARGV[2] .. ARGV[3])
`);

export function createBudgetLedger(redis: Redis, keys: Keys): BudgetLedger {
  const keysOf = (offerId: string) => [keys.budgetReservations(offerId), keys.budgetDue(offerId)];

  const prepare: BudgetLedger['prepare'] = (offer, reservations, expiresAt, now) => {
    const { budget, offerId, benefit } = offer;
    if (budget === undefined) return undefined;
    if (reservations.length > reservationsMax)
      throw new RangeError(`at most ${reservationsMax} reservations at once, not ${reservations.length}`);
    const period = periodOf(offer, now);
    const args = [
      now,
      keys.budgetPeriods(offerId),
      period.name,
      expiresAt,
      keptUntil(period, expiresAt),
      ...limitArgs(budgetLimits(budget)),
      ...limitArgs(pacedLimits(budget, period, now)),
      letterOf(benefit !== undefined && PAID_WHEN_MADE.has(benefit.kind) ? 'payable' : 'reserved'),
      ...reservations.flatMap(({ id, costMinor }) => [id, budgetCost(costMinor)]),
    ];
    return { keys: keysOf(offerId), args, reserved: reservedOf };
  };

  return {
    async reserve(offer, reservations, expiresAt, now) {
      const prepared = prepare(offer, reservations, expiresAt, now);
      if (prepared === undefined) return reservations.map(() => 'reserved');
      if (reservations.length === 0) return [];
      let outcomes: Reserved[] | undefined;
      do {
        const answers = await reserveScript(redis, prepared.keys, prepared.args);
        outcomes = prepared.reserved(answers as number[]);
      } while (outcomes === undefined);
      return outcomes;
    },
    prepare,

    async confirm(offer, { id, costMinor, decidedAt, knownUntil, isBeyond = false }, now) {
      const { budget, offerId } = offer;
      // Without a budget nothing was reserved; one that was taken away since has left nothing to hold to.
      if (budget === undefined) return 'confirmed';
      const period = periodOf(offer, decidedAt);
      const answer = await confirmScript(redis, keysOf(offerId), [
        now,
        keys.budgetPeriods(offerId),
        period.name,
        id,
        budgetCost(costMinor),
        ...(isBeyond ? [0, 0] : limitArgs(budgetLimits(budget))),
        knownUntil,
        keptUntil(period, Math.max(now, knownUntil)),
      ]);
      return answer === 2 ? 'repeated' : answer === 1 ? 'confirmed' : 'unbudgeted';
    },

    async release(offerId, id, now) {
      await releaseScript(redis, keysOf(offerId), [now, keys.budgetPeriods(offerId), id]);
    },

    async forget(offerId, ids, now) {
      let known = 0;
      for (let start = 0; start < ids.length; start += reservationsMax) {
        const some = ids.slice(start, start + reservationsMax);
        known += Number(
          await forgetScript(redis, keysOf(offerId), [now, keys.budgetPeriods(offerId), ...some]),
        );
      }
      return known;
    },

    async state(offer, now) {
      const period = periodOf(offer, now).name;
      let reply: Buffer[] | typeof moreDue;
      do
        reply = (await stateScript(redis, keysOf(offer.offerId), [
          now,
          keys.budgetPeriods(offer.offerId),
          period,
        ])) as Buffer[] | typeof moreDue;
      while (reply === moreDue);
      const fields = new Map<string, number>();
      for (let at = 0; at + 1 < reply.length; at += 2) fields.set(String(reply[at]), Number(reply[at + 1]));
      const of = (field: string) => fields.get(field) ?? 0;
      return {
        period,
        reservedMinor: of('reservedMinor'),
        reservedCount: of('reservedCount'),
        confirmedMinor: of('confirmedMinor'),
        confirmedCount: of('confirmedCount'),
        unbudgetedMinor: of('unbudgetedMinor'),
        unbudgetedCount: of('unbudgetedCount'),
      };
    },
  };
}

function reservedOf(answers: readonly number[]): Reserved[] | undefined {
  if (answers[0] === moreDue) return undefined;
  return answers.map((answer) => (answer === 1 ? 'reserved' : answer === 2 ? 'paced' : 'exhausted'));
}

function periodOf(offer: BudgetedOffer, at: number): BudgetPeriod {
  return budgetPeriod(offer.budget ?? { period: 'total', pacing: 'none' }, validityOf(offer), at);
}

/** A budget without an end is never forgotten: what was spent would be spent again. */
function keptUntil({ endsAt }: BudgetPeriod, inUseUntil: number): number {
  return Number.isFinite(endsAt) ? Math.max(endsAt, inUseUntil) + periodKeptMs : noLimit;
}

/**
 * A cost as an entry holds it. Bounded, because Lua writes numbers of more than 14 digits as powers of ten, which no entry is
 * read back from.
 */
export function budgetCost(costMinor: number): number {
  return Math.min(Math.max(0, Math.ceil(costMinor)), moneyMaxMinor);
}

function limitArgs({ amountMinor, count }: BudgetLimits): [number, number] {
  const arg = (limit: number) => (Number.isFinite(limit) ? limit : noLimit);
  return [arg(amountMinor), arg(count)];
}
