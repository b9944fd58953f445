/**
 * Decisions that were answered. Each travels the event stream into the lake whole, and stays there for ever; Redis keeps its outline
 * for 30 days, or as long as an offer of it may be redeemed, so that outcomes can be reported to it, and where in the stream the whole is until the lake has it.
 */
import { z } from 'zod';
import { Decision } from '../domain/decision.ts';
import type { DecisionEntry } from '../domain/log-entry.ts';
import { outlinePlace } from '../infra/decision-places.ts';
import { appendEntries, logField, readEntry, refuseWhileFull } from '../infra/event-log.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { type KeptField, setFields } from '../infra/redis-together.ts';
import { countedField, countMade, countMadeLua, prepareMade } from './count-offers.ts';
import {
  type DecisionOutline,
  entryIdLua,
  outlineAround,
  packOutline,
  unpackOutline,
} from './decision-outline.ts';
import { type FramedReasons, framedText } from './framed-reasons.ts';
import { decisionTtlSeconds, isKeptLong, keptSeconds } from './kept-seconds.ts';

export const LoggedDecision = Decision.extend({ decisionId: z.string() });
export type LoggedDecision = z.output<typeof LoggedDecision>;

export type DecisionLogDeps = {
  redis: Redis;
  keys: Keys;
  /** Entries that the event stream may hold. */
  config: { streamMaxLength: number };
};

/** Of the offers that were not made, so many are logged with their terms: those that came closest. */
const termsMax = 5;

/** The whole, as it is logged: all that is needed to explain it later. undefined for one without an id. */
export function loggedForm(decision: Decision): LoggedDecision | undefined {
  const { decisionId } = decision;
  if (decisionId === null) return undefined;
  const valued = decision.excluded.filter(({ terms }) => terms !== undefined);
  const closest = new Set(
    valued.sort((a, b) => (b.expectedValue ?? 0) - (a.expectedValue ?? 0)).slice(0, termsMax),
  );
  const excluded = decision.excluded.map((offer) => {
    if (offer.terms === undefined || closest.has(offer)) return offer;
    const { terms: _terms, ...rest } = offer;
    return rest;
  });
  return { ...decision, excluded, decisionId };
}

/** What it did, as it stands. Why other offers were not made, and what was known of the customer, is most of it. */
export function briefForm({ inputs: _inputs, ...decision }: LoggedDecision): LoggedDecision {
  return { ...decision, excluded: [] };
}

/** For the log, of one whose whole died with the process that made it: says so, so that nobody takes it for one that excluded nothing. */
export function withoutReasons(brief: LoggedDecision): LoggedDecision {
  return { ...brief, reasonsLost: true };
}

/** A decision of a list as JSON, as the lake has it; `reasons`: what explains it, where that is known. */
export function listedText(decision: LoggedDecision, standsUntil: string, reasons?: FramedReasons): string {
  if (reasons === undefined) return JSON.stringify({ ...decision, standsUntil });
  // What is undefined is left out; to take the rest of an object apart would cost more than all that is left.
  const rest = JSON.stringify({ ...decision, standsUntil, excluded: undefined });
  return `${rest.slice(0, -1)},${framedText(reasons)}}`;
}

/** Rejects with AppError TOO_MANY_REQUESTS while the event stream is full. */
export function roomToLog({ redis, keys, config }: DecisionLogDeps): Promise<void> {
  return refuseWhileFull(redis, keys, config.streamMaxLength);
}

/**
 * Logs a decision. `room`: has it been looked for already? Throws AppError TOO_MANY_REQUESTS while the event stream is full. Safe to repeat: the stream may then
 * hold it twice, which the lake's readers know, and its offers count once. The decision itself is written last, so that
 * one which can be read has been logged.
 */
export async function logDecision(
  decision: LoggedDecision,
  deps: DecisionLogDeps,
  room = roomToLog(deps),
): Promise<void> {
  const { redis, keys } = deps;
  await room;
  const [[entryId]] = await Promise.all([
    appendEntries(redis, keys, [{ kind: 'decision', decision }]),
    countMade(redis, keys, decision.decisionId, countedFields(decision)),
  ]);
  await keepOutlines([{ decision, entryId }], deps);
}

/**
 * Lua, on a server that is alone: `logDecision(KEYS, ARGV)` of what `prepareLog` makes does the same in one step. `isLogFull(KEYS, ARGV)`
 * answers how many entries the stream holds where it is full.
 */
export const logDecisionLua = `${entryIdLua}${countMadeLua}
local function isLogFull(KEYS, ARGV)
  local length = redis.call('XLEN', KEYS[1])
  return length >= tonumber(ARGV[1]) and length
end
local function logDecision(KEYS, ARGV)
  local id = redis.call('XADD', KEYS[1], '*', '${logField}', ARGV[2])
  if #ARGV > 9 then countMade({KEYS[3], KEYS[4]}, {unpack(ARGV, 8)}) end
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[4] .. packedEntryId(id, ARGV[6]) .. ARGV[5])
  if redis.call('TTL', KEYS[2]) < tonumber(ARGV[7]) then redis.call('EXPIRE', KEYS[2], ARGV[7]) end
end
`;

/**
 * KEYS: the event stream, the outlines, what `countMadeLua` wants. ARGV: entries that the stream may hold; the entry; of the outline
 * its field, what comes before and after the entry's id, the time that this is told from, and its lifetime in seconds; what `countMadeLua` wants.
 */
export function prepareLog(
  decision: LoggedDecision,
  { keys, config }: Pick<DecisionLogDeps, 'keys' | 'config'>,
): { keys: string[]; args: (string | number | Buffer)[] } {
  const { decisionId, decidedAt } = decision;
  const entry: DecisionEntry = { kind: 'decision', decision };
  const seconds = keptSeconds(decision);
  const isLong = isKeptLong(seconds);
  const { key, field } = outlinePlace(decisionId, keys, isLong);
  const made = prepareMade(keys, decisionId, countedFields(decision));
  return {
    keys: [keys.eventStream, key, ...made.keys],
    args: [
      config.streamMaxLength,
      JSON.stringify(entry),
      field,
      ...outlineAround(decision),
      Date.parse(decidedAt),
      isLong ? seconds : decisionTtlSeconds,
      ...made.args,
    ],
  };
}

/** So that outcomes can be told of them; `entryId`: in the event stream, where it was appended. */
export async function keepOutlines(
  logged: readonly { decision: LoggedDecision; entryId?: string | undefined }[],
  { redis, keys }: ReadingDeps,
): Promise<void> {
  const usual: KeptField[] = [];
  const long: KeptField[] = [];
  let longest = decisionTtlSeconds;
  for (const { decision, entryId } of logged) {
    const seconds = keptSeconds(decision);
    const isLong = isKeptLong(seconds);
    const place = outlinePlace(decision.decisionId, keys, isLong);
    (isLong ? long : usual).push({ ...place, value: packOutline(decision, entryId) });
    longest = Math.max(longest, seconds);
  }
  await Promise.all([setFields(redis, usual, decisionTtlSeconds), setFields(redis, long, longest)]);
}

type ReadingDeps = Pick<DecisionLogDeps, 'redis' | 'keys'>;

/** What it did. undefined: never logged, or so long ago that Redis has forgotten it. */
export async function readOutline(
  decisionId: string,
  deps: ReadingDeps,
): Promise<DecisionOutline | undefined> {
  return (await readStored(decisionId, deps))?.outline;
}

/** `whole` as well, while it waits in the event stream: afterwards the lake has it. */
export async function readWaiting(
  decisionId: string,
  deps: ReadingDeps,
): Promise<{ outline: DecisionOutline; whole: LoggedDecision | undefined } | undefined> {
  const stored = await readStored(decisionId, deps);
  if (stored === undefined) return undefined;
  const { outline, entryId } = stored;
  const entry = entryId === undefined ? undefined : await readEntry(deps.redis, deps.keys, entryId);
  const found = entry?.kind === 'decision' ? LoggedDecision.safeParse(entry.decision).data : undefined;
  return { outline, whole: found?.decisionId === decisionId ? found : undefined };
}

async function readStored(decisionId: string, { redis, keys }: ReadingDeps) {
  const [usual, long] = [outlinePlace(decisionId, keys), outlinePlace(decisionId, keys, true)];
  // Nearly all are in the first: the other is not worth a question at once.
  const stored =
    (await redis.hgetBuffer(usual.key, usual.field)) ?? (await redis.hgetBuffer(long.key, long.field));
  return stored === null ? undefined : unpackOutline(stored, decisionId);
}

/** undefined for nothing, and for what another version of the service wrote in another shape. */
export function parseDecision(text: string | null | undefined): LoggedDecision | undefined {
  if (text === null || text === undefined) return undefined;
  const parsed = LoggedDecision.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** Ids of the offers that a decision makes, each once. */
export function madeOffers({ placements }: Pick<DecisionOutline, 'placements'>): string[] {
  const [place, another] = placements;
  // As nearly all decisions of a list are: one place, with one offer at most.
  if (place !== undefined && another === undefined && place.offers.length <= 1)
    return place.offers.map(({ offerId }) => offerId);
  return [...new Set(placements.flatMap(({ offers }) => offers.map(({ offerId }) => offerId)))];
}

/**
 * What its offers are counted by as made, each once. Without those that she has had since another decision, which made them: shown
 * again, however often, they are the same ones.
 */
export function countedFields({
  decisionId,
  decidedAt,
  placements,
}: Pick<LoggedDecision, 'decisionId' | 'decidedAt' | 'placements'>): string[] {
  const fields: string[] = [];
  for (const { offers } of placements)
    for (const offer of offers)
      if (offer.heldSince === undefined) fields.push(countedField(offer, decisionId, Date.parse(decidedAt)));
  return fields.length > 1 ? [...new Set(fields)] : fields;
}
