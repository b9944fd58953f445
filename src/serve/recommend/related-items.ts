/** What goes with an item and what is like it, whoever asks; for a new item by its content. */
import { boughtTogetherWith, type CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import type { Served } from '../../scoring/served.ts';
import type { Likeness } from './likeness.ts';
import type { NewItems } from './new-items.ts';
import { standInsOf } from './page.ts';
import { type Reason, reasonOf } from './reasons.ts';
import type { Shelf, ShelfFilter } from './shelf.ts';

export type RelatedKind = 'similar' | 'boughtTogether';
export type RelatedRequest = { kind: RelatedKind; itemId: string; n: number; filter: ShelfFilter };
export type RelatedItem = { itemId: string; name?: string | undefined; score: number; reasons: Reason[] };

const listMax = 250;

export function relatedItems(
  { kind, itemId, n, filter }: RelatedRequest,
  served: Served<CollaborativeModel>,
  newItems: NewItems | undefined,
  { likeness, shelf }: { likeness: Likeness; shelf: Shelf },
): RelatedItem[] {
  const { model } = served;
  const items: RelatedItem[] = [];
  const candidates =
    kind === 'similar' ? similarTo() : model.itemIndex.has(itemId) ? together(itemId) : togetherWithLike();
  for (const { index, score, because } of candidates) {
    if (items.length === n) break;
    const relatedId = model.itemIds[index] ?? '';
    // Opposite tastes have a cosine as well.
    if (score <= 0 || relatedId === itemId || !shelf.isServable(relatedId, filter)) continue;
    const reason = reasonOf(kind, { because, segment: '' }, shelf.nameOf);
    items.push({ ...shelf.named(relatedId), score, reasons: [reason] });
  }
  return items;

  type Voice = { index: number; score: number; because: string };

  function similarTo(): Voice[] {
    const item = model.itemIndex.get(itemId);
    const { indices, scores } =
      item === undefined ? likeness.ofNewItem(served, newItems, itemId) : likeness.ofItem(served, item);
    return Array.from(indices, (index, at) => ({ index, score: scores[at] ?? 0, because: itemId }));
  }

  function together(because: string): Voice[] {
    const { indices, scores } = boughtTogetherWith(model, model.itemIndex.get(because) ?? 0, listMax);
    return Array.from(indices, (index, at) => ({ index, score: scores[at] ?? 0, because }));
  }

  /** No order holds a new item yet: what is bought with the items most like it. Each item once, by its strongest voice. */
  function togetherWithLike(): Voice[] {
    const strongest = new Map<number, Voice>();
    for (const standIn of standInsOf(likeness.ofNewItem(served, newItems, itemId))) {
      for (const voice of together(model.itemIds[standIn] ?? '')) {
        const known = strongest.get(voice.index);
        if (known === undefined || voice.score > known.score) strongest.set(voice.index, voice);
      }
    }
    return [...strongest.values()].sort((a, b) => b.score - a.score || a.index - b.index);
  }
}
