/**
 * An attempt at a decision that is to stand: one of those who ask at once takes the lock, and writes down the id under which it is about to
 * reserve, so that what a process leaves that dies in between is undone by the next. On one server all of that goes with the first
 * reservation, in one step; a decision that reserves nothing needs none of it, for what stands is compared once more when it comes to stand.
 */
import { createHash } from 'node:crypto';
import { isCluster } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';
import { newDecisionId } from './decision-id.ts';
import type { DecidingDeps } from './deps.ts';
import { decisionTtlSeconds } from './kept-seconds.ts';
import { type BudgetLedger, reserveLua } from './ledger/offer-budget.ts';
import type { Lock } from './standing-text.ts';

/** One that decides takes milliseconds; after this long it has died. */
const decidingMs = 5000;

/** An attempt that died is undone by the next for the same key, as long as a decision is known. */
const attemptMs = decisionTtlSeconds * 1000;

/**
 * Lua: KEYS: the lock, what stands, the attempt at it. ARGV: the id of the decision to be made, which holds the lock; the lock's lifetime in
 * milliseconds; SHA-1 of the text that stands as far as is known ('' = nothing); the attempt's lifetime in milliseconds. Answers {0} where another
 * holds the lock; {1} where the attempt is put down; and {2, what stands, an attempt that has died} where something else stands than is known, or
 * one has died: the lock is held, and nothing put down.
 */
const beginLua = `
local function begin(KEYS, ARGV)
  if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return {0} end
  local current, died = redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])
  if died or (current and redis.sha1hex(current) or '') ~= ARGV[3] then return {2, current, died} end
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
  return {1}
end
`;
const beginScript = redisScript(`${beginLua} return begin(KEYS, ARGV)`);

/** KEYS and ARGV further: what `reserveLua` wants. Answers {1, its answers}, or as `begin` does where that has not put the attempt down. */
const beginAndReserveScript = redisScript(`${beginLua}${reserveLua}
local begun = begin(KEYS, ARGV)
if begun[1] ~= 1 then return begun end
return {1, unpack(reserve({KEYS[4], KEYS[5]}, {unpack(ARGV, 5)}))}
`);

/** KEYS: a lock. ARGV: by whom it is held. */
const unlockScript = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

/** `busy`: another holds the lock. Else it is held now, and something else was found than had been read: what stands, an attempt that has died. */
export type Beginning = 'begun' | 'busy' | { current: Buffer | null; died: Buffer | null };

/** Thrown by an attempt's ledger, which has reserved nothing. */
export class NotBegun extends Error {}

export type StandingAttempt = {
  decisionId: string;
  /** Held once the attempt has begun. */
  lock: Lock;
  /** Reserves by the attempt: the first time, it begins with that, or NotBegun is thrown. */
  budgets: BudgetLedger;
  /** What came of the beginning; undefined: there was none, for nothing had to be reserved. */
  beginning: () => Beginning | undefined;
  begin: () => Promise<Beginning>;
  /** With the lock held, once what was found has been seen to. Before anything is reserved under it. */
  putDown: () => Promise<void>;
  /** What it reserved has been given back: there is nothing to undo. */
  forget: () => Promise<void>;
  /** Its decision stands, and the lock was let go with that. */
  settled: () => void;
  /** Lets go of the lock, where it is held. */
  unlock: () => Promise<void>;
};

/** `known`: what stands under the key, as far as is known. */
export function createAttempt(
  key: string,
  known: Buffer | null,
  { redis, keys, budgets, now }: Pick<DecidingDeps, 'redis' | 'keys' | 'budgets' | 'now'>,
): StandingAttempt {
  const decisionId = newDecisionId(now());
  const lock = { key: keys.standingLock(key), token: decisionId };
  const attemptKey = keys.standingAttempt(key);
  const scriptKeys = [lock.key, key, attemptKey];
  const scriptArgs = [decisionId, decidingMs, digestOf(known), attemptMs];
  let beginning: Beginning | undefined;

  function heard([answer, current = null, died = null]: BeginReply): Beginning {
    beginning = answer === 1 ? 'begun' : answer === 0 ? 'busy' : { current, died };
    return beginning;
  }

  async function begin(): Promise<Beginning> {
    return heard((await beginScript(redis, scriptKeys, scriptArgs)) as BeginReply);
  }

  const reserve: BudgetLedger['reserve'] = async (...wanted) => {
    if (beginning === 'begun') return await budgets.reserve(...wanted);
    const prepared = budgets.prepare(...wanted);
    // The offer of a cluster's budget lies on another node than the customer.
    if (prepared === undefined || isCluster(redis)) {
      if ((await begin()) !== 'begun') throw new NotBegun();
      return await budgets.reserve(...wanted);
    }
    const reply = (await beginAndReserveScript(
      redis,
      [...scriptKeys, ...prepared.keys],
      [...scriptArgs, ...prepared.args],
    )) as [1, ...number[]] | BeginReply;
    if (reply[0] !== 1) {
      heard(reply);
      throw new NotBegun();
    }
    heard([1]);
    return prepared.reserved(reply.slice(1) as number[]) ?? (await budgets.reserve(...wanted));
  };

  return {
    decisionId,
    lock,
    budgets: { ...budgets, reserve },
    beginning: () => beginning,
    begin,
    async putDown() {
      await redis.set(attemptKey, decisionId, 'PX', attemptMs);
      beginning = 'begun';
    },
    forget: async () => {
      await unlockScript(redis, [attemptKey], [decisionId]);
    },
    settled: () => {
      beginning = undefined;
    },
    unlock: async () => {
      if (beginning === undefined || beginning === 'busy') return;
      await unlockScript(redis, [lock.key], [lock.token]);
    },
  };
}

type BeginReply = [answer: 0 | 1 | 2, current?: Buffer | null, died?: Buffer | null];

/** SHA-1 of what stands, '' = nothing. */
export function digestOf(text: Buffer | null): string {
  return text === null ? '' : createHash('sha1').update(text).digest('hex');
}
