/**
 * Where Redis keeps what it has of a decision. Millions are logged in a month: a key of its own with an expiry would take 140 bytes
 * beside what it holds, so that those of one day share hashes and sets, by the last digits of their ids, which are random. Each
 * expires as a whole, long enough after whatever was last put there. An id that does not tell its day has a place of its own.
 */
import { createHash } from 'node:crypto';
import { timeOfDecision } from '../domain/decision-time.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** Of a day: hashes of some tens of decisions, where a million customers are made one offer a month each. */
const outlinesADay = 2048;
/** Redis packs up to 512 whole numbers. */
const markersADay = 1024;

/** Of the digest, in hexadecimal: numbers of 48 bits. */
const numberDigits = 12;

function partOfDay(decisionId: string, parts: number): string {
  const at = timeOfDecision(decisionId);
  if (at === undefined) return `of:${decisionId}`;
  return `${Math.floor(at / dayMs)}:${Number.parseInt(decisionId.slice(-6), 16) % parts}`;
}

/**
 * Field of the hash that keeps its outline (`decide/decision-outline.ts`). `isLong`: with those of its day that are kept longer
 * than most, so that these need not be kept as long.
 */
export function outlinePlace(
  decisionId: string,
  keys: Pick<Keys, 'decisions'>,
  isLong = false,
): { key: string; field: string | Buffer } {
  const isTimed = timeOfDecision(decisionId) !== undefined;
  const part = partOfDay(decisionId, outlinesADay);
  return {
    key: keys.decisions(isLong && isTimed ? `${part}:long` : part),
    field: isTimed ? Buffer.from(decisionId.replaceAll('-', ''), 'hex') : decisionId,
  };
}

/** Wherever it may be: one place, or either of two. */
function outlinePlaces(decisionId: string, keys: Pick<Keys, 'decisions'>) {
  const [usual, long] = [outlinePlace(decisionId, keys), outlinePlace(decisionId, keys, true)];
  return usual.key === long.key ? [usual] : [usual, long];
}

/** Member of the set of those whose offers have been counted as made: a whole number, which a hash of the id is. */
export function madePlace(
  decisionId: string,
  keys: Pick<Keys, 'offersMadeMarkers'>,
): { key: string; member: string } {
  const digest = createHash('sha256').update(decisionId).digest('hex').slice(0, numberDigits);
  return {
    key: keys.offersMadeMarkers(partOfDay(decisionId, markersADay)),
    member: String(Number.parseInt(digest, 16)),
  };
}

type PlacesDeps = { redis: Redis; keys: Pick<Keys, 'decisions' | 'decisionOutcomes' | 'offersMadeMarkers'> };

/** Its outline, what was reported of it, and that its offers have been counted: how many of the three there are. */
export async function countOfDecision(decisionId: string, { redis, keys }: PlacesDeps): Promise<number> {
  const made = madePlace(decisionId, keys);
  const found = await Promise.all([
    ...outlinePlaces(decisionId, keys).map(({ key, field }) => redis.hexists(key, field)),
    redis.exists(keys.decisionOutcomes(decisionId)),
    redis.sismember(made.key, made.member),
  ]);
  return found.reduce((sum, one) => sum + one, 0);
}

/** Removes them; answers how many there were. */
export async function forgetDecision(decisionId: string, { redis, keys }: PlacesDeps): Promise<number> {
  const made = madePlace(decisionId, keys);
  const gone = await Promise.all([
    ...outlinePlaces(decisionId, keys).map(({ key, field }) => redis.hdel(key, field)),
    redis.unlink(keys.decisionOutcomes(decisionId)),
    redis.srem(made.key, made.member),
  ]);
  return gone.reduce((sum, one) => sum + one, 0);
}
