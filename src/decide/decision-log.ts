/** Decisions that were answered: in Redis for 30 days, so that outcomes can be reported to them, and in the lake for ever. */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { z } from 'zod';
import { Decision, type ExcludedOffer } from '../domain/decision.ts';
import { appendEntries, refuseWhileFull } from '../infra/event-log.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { countMade, decisionTtlSeconds } from './count-offers.ts';

export const LoggedDecision = Decision.extend({ decisionId: z.string() });
export type LoggedDecision = z.output<typeof LoggedDecision>;

export type DecisionLogDeps = {
  redis: Redis;
  keys: Keys;
  /** Entries that the event stream may hold. */
  config: { streamMaxLength: number };
};

/** What is kept of a decision: without the terms of the offers that were not made. undefined for one without an id. */
export function loggedForm(decision: Decision): LoggedDecision | undefined {
  const { decisionId } = decision;
  if (decisionId === null) return undefined;
  const excluded = decision.excluded.map(({ offerId, offerVersion, reasonCode }) => ({
    offerId,
    offerVersion,
    reasonCode,
  }));
  return { ...decision, excluded, decisionId };
}

/**
 * A decision's `loggedForm` as JSON, for a list of a million: `whole` for the lake, and `brief`, without the offers that were not
 * made, which are most of it, for Redis, where each takes memory for a month.
 */
export function loggedTexts({ excluded, ...decision }: LoggedDecision): { brief: string; whole: string } {
  const rest = JSON.stringify(decision).slice(0, -1);
  const withExcluded = (texts: readonly string[]) => `${rest},"excluded":[${texts.join(',')}]}`;
  return { brief: withExcluded([]), whole: withExcluded(excluded.map(excludedText)) };
}

/** The same few are excluded again and again. */
const excludedTexts = new WeakMap<ExcludedOffer, string>();

function excludedText(excluded: ExcludedOffer): string {
  let text = excludedTexts.get(excluded);
  if (text === undefined) {
    text = JSON.stringify(excluded);
    excludedTexts.set(excluded, text);
  }
  return text;
}

/** Is it there in Redis without the offers that were not made, which the lake has? */
export function isBrief({ excluded }: LoggedDecision): boolean {
  return excluded.length === 0;
}

/**
 * Logs a decision. Throws AppError TOO_MANY_REQUESTS while the event stream is full. Safe to repeat: the stream may then
 * hold it twice, which the lake's readers know, and its offers count once. The decision itself is written last, so that
 * one which can be read has been logged.
 */
export async function logDecision(
  decision: LoggedDecision,
  { redis, keys, config }: DecisionLogDeps,
): Promise<void> {
  await refuseWhileFull(redis, keys, config.streamMaxLength);
  await Promise.all([
    appendEntries(redis, keys, [{ kind: 'decision', decision }]),
    countMade(redis, keys, decision.decisionId, madeOffers(decision)),
  ]);
  const stored = packed(JSON.stringify(decision));
  await redis.set(keys.decision(decision.decisionId), stored, 'EX', decisionTtlSeconds);
}

/** undefined: never logged, or more than 30 days ago. */
export async function readDecision(
  decisionId: string,
  { redis, keys }: Pick<DecisionLogDeps, 'redis' | 'keys'>,
): Promise<LoggedDecision | undefined> {
  return parseDecision(unpacked(await redis.getBuffer(keys.decision(decisionId))));
}

/** Before what is compressed; no JSON begins with it. */
const packedMark = Buffer.of(0);

/** A quarter of the bytes: with fifty offers the reasons why they were not made take most of them, and most of a customer's memory. */
function packed(json: string): Buffer {
  const quickly = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  return Buffer.concat([packedMark, brotliCompressSync(json, quickly)]);
}

/** Lists write theirs, which are brief, as they are. */
function unpacked(stored: Buffer | null): string | undefined {
  if (stored === null) return undefined;
  const isPacked = stored[0] === packedMark[0];
  return (isPacked ? brotliDecompressSync(stored.subarray(1)) : stored).toString();
}

/** undefined for nothing, and for what another version of the service wrote in another shape. */
export function parseDecision(text: string | null | undefined): LoggedDecision | undefined {
  if (text === null || text === undefined) return undefined;
  const parsed = LoggedDecision.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** Ids of the offers that a decision makes, each once. */
export function madeOffers(decision: Decision): string[] {
  return [...new Set(decision.placements.flatMap(({ offers }) => offers.map(({ offerId }) => offerId)))];
}
