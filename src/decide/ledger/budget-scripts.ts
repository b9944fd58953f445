/**
 * The scripts of the ledger of offers' budgets (`offer-budget.ts`): each is one step on the offer's own keys. Money is in whole minor
 * units, times in milliseconds since 1970; -1 = no limit, for ever.
 */
import { dayMs } from '../../domain/time.ts';
import { bindInputs, namedScript } from '../../infra/named-script.ts';
import { redisScript } from '../../infra/redis-script.ts';
import { budgetEntryLua } from './budget-entry.ts';

/** How long a period is kept after its end, and after the last of its reservations. */
export const periodKeptMs = 60 * dayMs;

/** Lapsed reservations that one script gives back, so that none takes long. */
const sweptMax = 500;

/** Of limits and times: none, for ever. */
export const noLimit = -1;

/** A script's answer that it is to be run again. */
export const moreDue = -1;

/** Of every script here. What an entry says: budget-entry.ts. Keys of periods, which begin so, are of the same hash tag as the others. */
const ledgerKeys = ['entries', 'dueTimes'] as const;
const ledgerArgs = ['now', 'periodKeys'] as const;

/** Lua by those names. Gives back what has lapsed, and confirms what of it has been paid. */
const sweep = `${budgetEntryLua}
local now = tonumber(now)
local function add(period, field, by)
  redis.call('HINCRBY', periodKeys .. period, field, by)
end
local function free(id, period, cost)
  -- -0 is no integer to Redis.
  add(period, 'reservedMinor', 0 - cost)
  add(period, 'reservedCount', -1)
  redis.call('HDEL', entries, id)
  redis.call('ZREM', dueTimes, id)
end
local function spend(period, cost)
  add(period, 'confirmedMinor', cost)
  add(period, 'confirmedCount', 1)
end
local function lapse()
  local due = redis.call('ZRANGEBYSCORE', dueTimes, '-inf', now, 'WITHSCORES', 'LIMIT', 0, ${sweptMax})
  for i = 1, #due, 2 do
    local id = due[i]
    local state, period, cost = parse(redis.call('HGET', entries, id))
    if state == RESERVED then free(id, period, cost)
    elseif state == PAYABLE then
      free(id, period, cost)
      spend(period, cost)
      redis.call('HSET', entries, id, written(CONFIRMED, period, cost))
      redis.call('ZADD', dueTimes, tonumber(due[i + 1]) + ${periodKeptMs}, id)
    else
      redis.call('HDEL', entries, id)
      redis.call('ZREM', dueTimes, id)
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
  local keys = {entries, dueTimes, periodKeys .. period}
  local wasThere = {known(keys[1]), known(keys[2]), known(keys[3])}
  return function(untilMs)
    for k = 1, 3 do liveUntil(keys[k], untilMs, wasThere[k]) end
  end
end
local function count(period, field) return tonumber(redis.call('HGET', periodKeys .. period, field) or '0') end
`;

/** `keepUntil`: of the period. Then id and cost of each. */
export const reserveInputs = {
  keys: ledgerKeys,
  args: [
    ...ledgerArgs,
    'period',
    'expiresAt',
    'keepUntil',
    'limitMinor',
    'limitCount',
    'pacedMinor',
    'pacedCount',
    'stateLetter',
  ],
} as const;

/**
 * Lua: `reserve(KEYS, ARGV)` of `reserveInputs`. Answers for each: 1 reserved (at this cost or more), 0 exhausted, 2 paced; {moreDue}:
 * more has lapsed than one script gives back, and nothing else was done.
 */
export const reserveLua = `
local function reserve(KEYS, ARGV)
${bindInputs(reserveInputs)}${sweep}
if lapse() == ${sweptMax} then return {${moreDue}} end
local expiresAt, keepUntil = tonumber(expiresAt), tonumber(keepUntil)
local limitMinor, limitCount = tonumber(limitMinor), tonumber(limitCount)
local pacedMinor, pacedCount = tonumber(pacedMinor), tonumber(pacedCount)
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
  redis.call('HSET', entries, id, written(state, heldIn, cost))
  add(heldIn, 'reservedMinor', more)
  return 1
end
local answers = {}
for i = firstOfRest, #ARGV, 2 do
  local id, cost = ARGV[i], tonumber(ARGV[i + 1])
  local state, heldIn, held = parse(redis.call('HGET', entries, id))
  if isOut(state) and cost > held then answers[#answers + 1] = raise(id, state, heldIn, held, cost)
  elseif state then answers[#answers + 1] = 1
  elseif above(limitMinor, minor + cost) or above(limitCount, number + 1) then answers[#answers + 1] = 0
  elseif not isFirst and (above(pacedMinor, minor + cost) or above(pacedCount, number + 1)) then
    answers[#answers + 1] = 2
  else
    isFirst = false
    minor = minor + cost
    number = number + 1
    redis.call('HSET', entries, id, written(stateLetter, period, ARGV[i + 1]))
    redis.call('ZADD', dueTimes, expiresAt, id)
    add(period, 'reservedMinor', cost)
    add(period, 'reservedCount', 1)
    answers[#answers + 1] = 1
  end
end
keep(keepUntil)
return answers
end
`;
/** Of `reserveInputs`. */
export const reserveScript = redisScript(`${reserveLua} return reserve(KEYS, ARGV)`);

/** `knownUntil`: when a repeat ceases to be known; `keepUntil`: of the period. Answers 1 confirmed, 0 unbudgeted, 2 repeated. */
export const confirmScript = namedScript(
  {
    keys: ledgerKeys,
    args: [...ledgerArgs, 'period', 'id', 'cost', 'limitMinor', 'limitCount', 'knownUntil', 'keepUntil'],
  },
  `${sweep}
local cost, keepUntil = tonumber(cost), tonumber(keepUntil)
local limitMinor, limitCount = tonumber(limitMinor), tonumber(limitCount)
local state, reservedIn, held = parse(redis.call('HGET', entries, id))
if state == CONFIRMED or state == UNBUDGETED then return 2 end
-- Paid by now, and not swept yet.
if state == PAYABLE and tonumber(redis.call('ZSCORE', dueTimes, id)) <= now then return 2 end
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
redis.call('HSET', entries, id, written(answer == 1 and CONFIRMED or UNBUDGETED, period, cost))
redis.call('ZADD', dueTimes, tonumber(knownUntil), id)
keep(keepUntil)
return answer
`,
);

export const releaseScript = namedScript(
  { keys: ledgerKeys, args: [...ledgerArgs, 'id'] },
  `${sweep}
local state, period, held = parse(redis.call('HGET', entries, id))
if isOut(state) then free(id, period, held) end
return 1
`,
);

/**
 * What has been paid under one id has been paid for another, whose reservation is given back; one that has been paid as well stays so. Answers
 * 1 where it was so.
 */
export const moveScript = namedScript(
  { keys: ledgerKeys, args: [...ledgerArgs, 'id', 'other'] },
  `${sweep}
local entry = redis.call('HGET', entries, id)
local state = parse(entry)
if state ~= CONFIRMED and state ~= UNBUDGETED then return 0 end
local otherState, period, held = parse(redis.call('HGET', entries, other))
if otherState == CONFIRMED or otherState == UNBUDGETED then return 0 end
if isOut(otherState) then free(other, period, held) end
redis.call('ZADD', dueTimes, redis.call('ZSCORE', dueTimes, id), other)
redis.call('HSET', entries, other, entry)
redis.call('HDEL', entries, id)
redis.call('ZREM', dueTimes, id)
return 1
`,
);

/** Then ids. What is paid when it is made may have been made: it stays spent. Answers how many there were. */
export const forgetScript = namedScript(
  { keys: ledgerKeys, args: ledgerArgs },
  `${sweep}
local known = 0
for i = firstOfRest, #ARGV do
  local state, period, held = parse(redis.call('HGET', entries, ARGV[i]))
  if state then known = known + 1 end
  if isOut(state) then
    free(ARGV[i], period, held)
    if state == PAYABLE then spend(period, held) end
  elseif state then
    redis.call('HDEL', entries, ARGV[i])
    redis.call('ZREM', dueTimes, ARGV[i])
  end
end
return known
`,
);

/** Answers fields of the period and their values, or moreDue. */
export const stateScript = namedScript(
  { keys: ledgerKeys, args: [...ledgerArgs, 'period'] },
  `${sweep}
if lapse() == ${sweptMax} then return ${moreDue} end
return redis.call('HGETALL', periodKeys .. period)
`,
);
