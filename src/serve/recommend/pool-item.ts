/** What a scenario's rules choose from, and how what they chose is answered. */
import type { Arranged, Candidate, Move } from './arrange.ts';
import type { Newcomer } from './newcomers.ts';
import type { PreparedItem, PreparedVoice } from './prepared-page.ts';
import {
  type Evidence,
  promotedReason,
  type Reason,
  reasonFromShare,
  reasonOf,
  reasonsOf,
} from './reasons.ts';
import type { Source } from './scenarios.ts';
import type { Shelf } from './shelf.ts';

export type PoolItem = Candidate & { prepared: PreparedItem };

export type Voice = { source: Source; share: number };

export type RecommendedItem = {
  itemId: string;
  /** Absent where the catalogue has none. */
  name?: string | undefined;
  /** Ranks within this answer; no probability. */
  score: number;
  source: Source;
  /** Strongest first; at least one. */
  reasons: Reason[];
  /** What each source added to the score. */
  contributions: Partial<Record<Source, number>>;
  /** The scenario's rules that changed its place. */
  arranged: Move[];
};

/**
 * A ranked item. Its voices are reckoned when they are first asked for: most candidates are never shown. Numbers are single
 * precision, as a page that is kept has them: the same page says the same, kept or not.
 */
export function preparedItem(
  itemId: string,
  score: number,
  voices: () => readonly Voice[],
  evidence: (source: Source) => Evidence,
): PreparedItem {
  let known: readonly PreparedVoice[] | undefined;
  return {
    itemId,
    score: Math.fround(score),
    get voices() {
      known ??= withEvidence(voices(), evidence);
      return known;
    },
  };
}

function withEvidence(voices: readonly Voice[], evidence: (source: Source) => Evidence): PreparedVoice[] {
  const least = reasonFromShare * (voices[0]?.share ?? 0);
  return voices.map(({ source, share }) => ({
    source,
    share: Math.fround(share),
    evidence: share >= least ? inSinglePrecision(evidence(source)) : { segment: '' },
  }));
}

function inSinglePrecision({ usualGap, ...evidence }: Evidence): Evidence {
  if (usualGap === undefined) return evidence;
  return { ...evidence, usualGap: { ...usualGap, days: Math.fround(usualGap.days) } };
}

/** An item for which no ranking speaks. */
export function unrankedItem(
  itemId: string,
  source: 'popularity' | 'pinned' | 'catalogue',
  segment = '',
): PreparedItem {
  return { itemId, score: 0, voices: [{ source, share: 0, evidence: { segment } }] };
}

export function newItem({ itemId, score }: Newcomer): PreparedItem {
  return { itemId, score, voices: [{ source: 'newInCategory', share: score, evidence: { segment: '' } }] };
}

export function poolItem(prepared: PreparedItem, shelf: Shelf, vector: Float32Array | undefined): PoolItem {
  const { itemId, score } = prepared;
  const { category, brand, marginShare } = shelf.traitsOf(itemId);
  return { itemId, score, category, brand, marginShare, vector, prepared };
}

export function present(
  { item, score, factor, moves, isPinned }: Arranged<PoolItem>,
  shelf: Shelf,
): RecommendedItem {
  const { voices } = item.prepared;
  const first = voices[0];
  if (first === undefined) throw new Error('a prepared item has at least one voice');
  const reasons = reasonsOf(voices, shelf.nameOf, item.category);
  if (isPromoted(moves, factor)) reasons.push(promotedReason);
  if (isPinned && first.source !== 'pinned') reasons.push(reasonOf('pinned', { segment: '' }, shelf.nameOf));
  const contributions: RecommendedItem['contributions'] = {};
  for (const { source, share } of voices) if (share > 0) contributions[source] = factor * share;
  // Every one of the same shape: what is undefined is not told.
  return {
    itemId: item.itemId,
    name: shelf.knownNameOf(item.itemId),
    score,
    source: first.source,
    reasons,
    contributions,
    arranged: moves,
  };
}

/** Did the shop's own factor bring it further up? */
function isPromoted(moves: readonly Move[], factor: number): boolean {
  return factor > 1 && moves.some(({ rule, from, to }) => rule === 'boosts' && to < (from ?? to));
}
