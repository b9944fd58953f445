/** What a scenario's rules choose from, and how what they chose is answered. */
import type { Arranged, Candidate, Move } from './arrange.ts';
import type { NewItems } from './new-items.ts';
import type { Newcomer } from './newcomers.ts';
import { promotedReason, type Reason, reasonOf } from './reasons.ts';
import type { Source } from './scenarios.ts';
import type { Shelf } from './shelf.ts';

export type PoolItem = Candidate & {
  /** What each source added to the score, largest first, at least one. Reckoned for what is shown only. */
  voices: () => readonly Voice[];
  /** Worded for what is shown only; strongest first, at least one. */
  reasons: (voices: readonly Voice[]) => Reason[];
};

export type Voice = { source: Source; share: number };

export type RecommendedItem = {
  itemId: string;
  /** Absent where the catalogue has none. */
  name?: string;
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

/** An item for which no ranking speaks. */
export function unrankedItem(
  itemId: string,
  source: 'popularity' | 'pinned' | 'catalogue',
  shelf: Shelf,
  segment = '',
): PoolItem {
  return {
    itemId,
    ...shelf.traitsOf(itemId),
    score: 0,
    vector: undefined,
    voices: () => [{ source, share: 0 }],
    reasons: () => [reasonOf(source, { segment }, shelf.nameOf)],
  };
}

export function newPoolItem({ itemId, score }: Newcomer, { vectors }: NewItems, shelf: Shelf): PoolItem {
  const traits = shelf.traitsOf(itemId);
  const evidence = { segment: '', category: traits.category };
  return {
    itemId,
    ...traits,
    score,
    vector: vectors.get(itemId),
    voices: () => [{ source: 'newInCategory', share: score }],
    reasons: () => [reasonOf('newInCategory', evidence, shelf.nameOf)],
  };
}

export function present(
  { item, score, factor, moves, isPinned }: Arranged<PoolItem>,
  shelf: Shelf,
): RecommendedItem {
  const voices = item.voices();
  const source = voices[0]!.source;
  const reasons = item.reasons(voices);
  if (isPromoted(moves, factor)) reasons.push(promotedReason);
  if (isPinned && source !== 'pinned') reasons.push(reasonOf('pinned', { segment: '' }, shelf.nameOf));
  return {
    ...shelf.named(item.itemId),
    score,
    source,
    reasons,
    contributions: Object.fromEntries(
      voices.filter(({ share }) => share > 0).map((voice) => [voice.source, factor * voice.share]),
    ),
    arranged: moves,
  };
}

/** Did the shop's own factor bring it further up? */
function isPromoted(moves: readonly Move[], factor: number): boolean {
  return factor > 1 && moves.some(({ rule, from, to }) => rule === 'boosts' && to < (from ?? to));
}
