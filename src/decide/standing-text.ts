/**
 * How a standing decision is written in Redis: a head in clear, by which it is known without being read, and the packed
 * decision (`packed-decision.ts`). The head: the shape of the decision (8 characters), 1 = it has been logged or 0, the
 * decision's id, a line's end.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { LoggedDecision } from './decision-log.ts';
import { packDecision, unpackDecision } from './packed-decision.ts';

export type Standing = { decision: LoggedDecision; logged: boolean };

const shapeLength = 8;
const lineEnd = '\n';

let shape: string | undefined;

/** Of what this build writes: a text of the same shape was written by code with the same schema, and need not be checked by it. */
function shapeOfStanding(): string {
  shape ??= createHash('sha256')
    .update(JSON.stringify(z.toJSONSchema(LoggedDecision, { unrepresentable: 'any' })))
    .digest('base64url')
    .slice(0, shapeLength);
  return shape;
}

function headOf(decisionId: string, logged: boolean): string {
  return `${shapeOfStanding()}${logged ? 1 : 0}${decisionId}${lineEnd}`;
}

/** `packed`: the decision (`packDecision`). */
export function standingText(decisionId: string, logged: boolean, packed: Buffer): Buffer {
  return Buffer.concat([Buffer.from(headOf(decisionId, logged)), packed]);
}

export function writeStanding({ decision, logged }: Standing): Buffer {
  return standingText(decision.decisionId, logged, packDecision(decision));
}

/** undefined for nothing, and for what another version wrote in a shape that is not known here. */
export function parseStanding(text: Buffer | null): Standing | undefined {
  const end = text?.indexOf(lineEnd) ?? -1;
  if (text === null || end <= shapeLength) return undefined;
  const value = unpackDecision(text.subarray(end + 1));
  if (value === undefined) return undefined;
  const head = text.subarray(0, end).toString('latin1');
  const logged = head[shapeLength] === '1';
  if (head.startsWith(shapeOfStanding())) return { decision: value as LoggedDecision, logged };
  const decision = LoggedDecision.safeParse(value).data;
  return decision && { decision, logged };
}

/** `head`: that it has; `markAt`: where in that to note that it has been logged. */
const markInputs = { keys: ['standing', 'whole'], args: ['head', 'markAt'] } as const;
const markLua = `
if redis.call('GETRANGE', standing, 0, #head - 1) ~= head then return 0 end
redis.call('DEL', whole)
redis.call('SETRANGE', standing, markAt, '1')
return 1
`;
const markScript = namedScript(markInputs, markLua);
const markAndUnlockScript = namedScript(
  { keys: [...markInputs.keys, 'lock'], args: [...markInputs.args, 'token'] },
  `if redis.call('GET', lock) == token then redis.call('DEL', lock) end
${markLua}`,
);

/** Of a decision that is being made; `token` tells by whom. */
export type Lock = { key: string; token: string };

/** Where it stands, and where the whole of it is until it has been logged. */
export type StandingKeys = { key: string; whole: string };

/** Notes that the decision has been logged, if it still stands there, forgets the whole of it, and lets go of the lock. */
export async function markLogged(
  redis: Redis,
  { key, whole }: StandingKeys,
  decisionId: string,
  lock?: Lock,
): Promise<void> {
  const marked = { standing: key, whole, head: headOf(decisionId, false), markAt: shapeLength };
  if (lock === undefined) await markScript(redis, marked);
  else await markAndUnlockScript(redis, { ...marked, lock: lock.key, token: lock.token });
}

/** The first bytes of what stands; undefined: they do not say that it is this decision, logged. */
export function loggedHead(text: Buffer, decisionId: string): Buffer | undefined {
  const wanted = Buffer.from(headOf(decisionId, true));
  const head = text.subarray(0, wanted.length);
  return head.equals(wanted) ? head : undefined;
}
