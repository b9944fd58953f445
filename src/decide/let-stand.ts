/**
 * What a decision comes to once its offers are reserved: it stands, the customer's contacts have it, and it is logged. On one server all
 * of that is one step, so that whoever finds it finds it logged. On a cluster the log lies on other nodes than the customer: there it stands
 * first, with the whole of it beside, so that another can log it where its process dies in between.
 */
import type { AppError } from '../domain/errors.ts';
import { streamIsFull } from '../infra/event-log.ts';
import type { Keys } from '../infra/keys.ts';
import { isCluster, type Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';
import {
  type DecisionLogDeps,
  type LoggedDecision,
  logDecision,
  logDecisionLua,
  prepareLog,
  roomToLog,
} from './decision-log.ts';
import { type PreparedContacts, writeContactsLua } from './ledger/contact-ledger.ts';
import { type Lock, markLogged, writeStanding } from './standing-text.ts';

export type ToStand = {
  /** Where it is to stand. */
  key: string;
  /** SHA-1 of the text that it takes the place of; '' = nothing. */
  replaced: string;
  /** As it stands, and as it is logged. */
  own: LoggedDecision;
  whole: LoggedDecision;
  /** When it ceases to stand, milliseconds since 1970. */
  ends: number;
  /** What it changes of the customer's contacts. */
  contacts: PreparedContacts | undefined;
  /** By which the attempt at it was made; undefined: nothing is reserved for it, and there was none. */
  lock: Lock | undefined;
};

/**
 * `overtaken`: something else stands by now, or another has undone the attempt, and with it what was reserved. `contactsChanged`: since
 * they were read. `refused`: the event stream is full, on one server. Of all these nothing was written.
 */
export type Stood = 'stands' | 'overtaken' | 'contactsChanged' | { refused: AppError };

export type LetStandDeps = DecisionLogDeps & { redis: Redis; keys: Keys; now: () => number };

/**
 * Lua: KEYS: what stands, the attempt at it, the whole of it until it is logged. ARGV: SHA-1 of the text that it takes the place of, the text,
 * its lifetime in milliseconds, the attempt's id ('' = there is none). `isOvertaken()`, and `letStand(whole)` with '' where it is logged already.
 */
const standingLua = `
local function isOvertaken()
  local current = redis.call('GET', KEYS[1])
  if (current and redis.sha1hex(current) or '') ~= ARGV[1] then return true end
  return (redis.call('GET', KEYS[2]) or '') ~= ARGV[4]
end
local function letStand(whole)
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  if whole == '' then redis.call('DEL', KEYS[3]) else redis.call('SET', KEYS[3], whole, 'PX', ARGV[3]) end
  redis.call('DEL', KEYS[2])
end
`;

/** KEYS further: the customer's contacts where the decision changes them. ARGV further: the whole, what `writeContactsLua` wants. */
const standScript = redisScript(`${writeContactsLua}${standingLua}
if isOvertaken() then return 0 end
if KEYS[4] and not writeContacts(KEYS[4], ARGV[6], ARGV[7], ARGV[8]) then return -1 end
letStand(ARGV[5])
return 1
`);

/**
 * KEYS further: the lock, the four of `prepareLog`, the contacts. ARGV further: the three that `writeContactsLua` wants, what `prepareLog`
 * makes. Answers {1}, {0} or {-1} as above, or {-2, entries} where the stream is full.
 */
const standLoggedScript = redisScript(`${writeContactsLua}${standingLua}${logDecisionLua}
if isOvertaken() then return {0} end
local log, logArgs = {KEYS[5], KEYS[6], KEYS[7], KEYS[8]}, {unpack(ARGV, 8)}
local full = isLogFull(log, logArgs)
if full then return {-2, full} end
if KEYS[9] and not writeContacts(KEYS[9], ARGV[5], ARGV[6], ARGV[7]) then return {-1} end
logDecision(log, logArgs)
letStand('')
if redis.call('GET', KEYS[4]) == ARGV[4] then redis.call('DEL', KEYS[4]) end
return {1}
`);

/** Where it stands, it is logged, and the lock is let go. Rejects when Redis is away: then it may stand all the same, logged or not. */
export async function letStand(one: ToStand, deps: LetStandDeps): Promise<Stood> {
  return isCluster(deps.redis) ? await standThenLog(one, deps) : await standLogged(one, deps);
}

async function standLogged(one: ToStand, deps: LetStandDeps): Promise<Stood> {
  const { key, whole, contacts } = one;
  const log = prepareLog(whole, deps);
  const [answer, length = 0] = (await standLoggedScript(
    deps.redis,
    [
      ...keysOf(key, deps),
      deps.keys.standingLock(key),
      ...log.keys,
      ...(contacts === undefined ? [] : [contacts.key]),
    ],
    [...argsOf(one, true, deps), ...(contacts?.args ?? ['', '', '']), ...log.args],
  )) as [1 | 0 | -1 | -2, number?];
  return answer === -2 ? { refused: streamIsFull(length) } : stoodOf(answer);
}

async function standThenLog(one: ToStand, deps: LetStandDeps): Promise<Stood> {
  const { key, whole, lock, contacts } = one;
  const room = roomToLog(deps);
  room.catch(() => {});
  const answer = await standScript(
    deps.redis,
    [...keysOf(key, deps), ...(contacts === undefined ? [] : [contacts.key])],
    [...argsOf(one, false, deps), JSON.stringify(whole), ...(contacts?.args ?? [])],
  );
  const stood = stoodOf(answer as 1 | 0 | -1);
  if (stood !== 'stands') return stood;
  await logDecision(whole, deps, room);
  // If this fails, the next request logs it again under the same id, which changes nothing, and the lock lapses.
  const places = { key, whole: deps.keys.standingWhole(key) };
  markLogged(deps.redis, places, whole.decisionId, lock).catch(() => {});
  return stood;
}

function stoodOf(answer: 1 | 0 | -1): Stood {
  return answer === 1 ? 'stands' : answer === 0 ? 'overtaken' : 'contactsChanged';
}

function keysOf(key: string, { keys }: Pick<LetStandDeps, 'keys'>): string[] {
  return [key, keys.standingAttempt(key), keys.standingWhole(key)];
}

function argsOf({ replaced, own, ends, lock }: ToStand, logged: boolean, { now }: Pick<LetStandDeps, 'now'>) {
  const text = writeStanding({ decision: own, logged });
  return [replaced, text, Math.max(1, ends - now()), lock?.token ?? ''];
}
