/**
 * An attempt at a decision that is to stand: one of those who ask at once takes the lock, and writes down the id under which it
 * is about to reserve, so that what a process leaves that dies in between is undone by the next. On one server all of that goes
 * with the first reservation, in one step; a decision that reserves nothing needs none of it, for what stands is compared once
 * more when it comes to stand.
 */
import { createHash } from 'node:crypto';
import { deleteIf } from '../infra/delete-if.ts';
import { bindInputs, inOrder } from '../infra/named-script.ts';
import { isCluster } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';
import { newDecisionId } from './decision-id.ts';
import type { DecidingDeps } from './deps.ts';
import { decisionTtlSeconds } from './kept-seconds.ts';
import { reserveLua } from './ledger/budget-scripts.ts';
import type { BudgetLedger } from './ledger/offer-budget.ts';
import type { Lock } from './standing-text.ts';

/** One that decides takes milliseconds; after this long it has died. */
const decidingMs = 5000;

/** An attempt that died is undone by the next for the same key, as long as a decision is known. */
const attemptMs = decisionTtlSeconds * 1000;

/** `token`: the id of the decision to be made, which holds the lock. `knownDigest`: `digestOf` what stands as far as is known. */
const beginInputs = {
  keys: ['lock', 'standing', 'attempt'],
  args: ['token', 'lockMs', 'knownDigest', 'attemptMs'],
} as const;

/**
 * Lua: `begin(KEYS, ARGV)` of these. Answers {0} where another holds the lock; {1} where the attempt is put down; and {2, what stands, an
 * attempt that has died} where something else stands than is known, or one has died: the lock is held, and nothing put down.
 */
const beginLua = `
local function begin(KEYS, ARGV)
  ${bindInputs(beginInputs)}
  if not redis.call('SET', lock, token, 'PX', lockMs, 'NX') then return {0} end
  local current, died = redis.call('GET', standing), redis.call('GET', attempt)
  if died or (current and redis.sha1hex(current) or '') ~= knownDigest then return {2, current, died} end
  redis.call('SET', attempt, token, 'PX', attemptMs)
  return {1}
end
`;
const beginScript = redisScript(`${beginLua} return begin(KEYS, ARGV)`);

/**
 * What `begin` is given, then what `reserve` is. Answers {1, its answers}, or as `begin` does where that has not put the
 * attempt down.
 */
const beginAndReserveScript = redisScript(`${beginLua}${reserveLua}
local begun = begin(KEYS, ARGV)
if begun[1] ~= 1 then return begun end
return {1, unpack(reserve({unpack(KEYS, ${beginInputs.keys.length + 1})}, {unpack(ARGV, ${beginInputs.args.length + 1})}))}
`);

/**
 * `busy`: another holds the lock. Else it is held now, and something else was found than had been read: what stands, an attempt
 * that has died.
 */
export type Beginning = 'begun' | 'busy' | { current: Buffer | null; died: Buffer | null };

/** Thrown by an attempt's ledger, which has reserved nothing. */
export class NotBegun extends Error {}

export type StandingAttempt = {
  decisionId: string;
  /** Held once the attempt has begun. */
  lock: Lock;
  /** Reserves by the attempt: the first time, it begins with that, or NotBegun is thrown. */
  budgets: BudgetLedger;
  /** What came of the beginning; `none`: there was none, for nothing had to be reserved. */
  beginning: () => Beginning | 'none';
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
  const inputs = inOrder(beginInputs, {
    lock: lock.key,
    standing: key,
    attempt: attemptKey,
    token: decisionId,
    lockMs: decidingMs,
    knownDigest: digestOf(known),
    attemptMs,
  });
  let beginning: Beginning | 'none' = 'none';
  let isLocked = false;

  function heard([answer, current = null, died = null]: BeginReply): Beginning {
    const answered: Beginning = answer === 1 ? 'begun' : answer === 0 ? 'busy' : { current, died };
    isLocked = answered !== 'busy';
    beginning = answered;
    return answered;
  }

  async function begin(): Promise<Beginning> {
    return heard((await beginScript(redis, inputs.keys, inputs.args)) as BeginReply);
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
      [...inputs.keys, ...prepared.keys],
      [...inputs.args, ...prepared.args],
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
      await deleteIf(redis, attemptKey, decisionId);
    },
    settled: () => {
      isLocked = false;
    },
    unlock: async () => {
      if (isLocked) await deleteIf(redis, lock.key, lock.token);
    },
  };
}

type BeginReply = [answer: 0 | 1 | 2, current?: Buffer | null, died?: Buffer | null];

/** SHA-1 of what stands, '' = nothing. */
export function digestOf(text: Buffer | null): string {
  return text === null ? '' : createHash('sha1').update(text).digest('hex');
}
