/** What a scenario's rules choose from, and how what they chose is answered. */
import type { Arranged, Candidate, Move } from './arrange.ts';
import type { NewItems } from './new-items.ts';
import type { Newcomer } from './newcomers.ts';
import { promotedReason, type Reason, reasonOf } from './reasons.ts';
import type { Source } from './scenarios.ts';
import type { Shelf } from './shelf.ts';

export type PoolItem = Candidate & {
  /** What spoke for it most. */
  source: Source;
  /** What each source added to the score. */
  shares: readonly { source: Source; share: number }[];
  /** Worded for what is shown only; strongest first, at least one. */
  reasons: () => Reason[];
};

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
    source,
    shares: [],
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
    source: 'newInCategory',
    shares: [{ source: 'newInCategory', share: score }],
    reasons: () => [reasonOf('newInCategory', evidence, shelf.nameOf)],
  };
}

export function present(
  { item, score, factor, moves, isPinned }: Arranged<PoolItem>,
  shelf: Shelf,
): RecommendedItem {
  const { source, shares } = item;
  const reasons = item.reasons();
  if (isPromoted(moves, factor)) reasons.push(promotedReason);
  if (isPinned && source !== 'pinned') reasons.push(reasonOf('pinned', { segment: '' }, shelf.nameOf));
  return {
    ...shelf.named(item.itemId),
    score,
    source,
    reasons,
    contributions: Object.fromEntries(shares.map(({ source, share }) => [source, factor * share])),
    arranged: moves,
  };
}

/** Did the shop's own factor bring it further up? */
function isPromoted(moves: readonly Move[], factor: number): boolean {
  return factor > 1 && moves.some(({ rule, from, to }) => rule === 'boosts' && to < (from ?? to));
}
