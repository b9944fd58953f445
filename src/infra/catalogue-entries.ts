/** Items and offers as Redis holds them, and the fields by which the stream of changes names them. */
import type { CatalogueChange } from '../domain/log-entry.ts';

export type CatalogueKind = 'item' | 'offer';
/** `json` '' = deleted. */
export type CatalogueEntry = { id: string; at: number; json: string };

/** The last entry of each id. */
export function entriesOf(changes: readonly CatalogueChange[], kind: CatalogueKind): CatalogueEntry[] {
  const entries = new Map<string, CatalogueEntry>();
  for (const change of changes) {
    const entry = entryOf(change);
    if (entry.kind === kind) entries.set(entry.id, entry);
  }
  return [...entries.values()];
}

function entryOf(change: CatalogueChange): CatalogueEntry & { kind: CatalogueKind } {
  switch (change.kind) {
    case 'item':
      return { kind: 'item', id: change.item.itemId, at: change.at, json: JSON.stringify(change.item) };
    case 'itemDeleted':
      return { kind: 'item', id: change.itemId, at: change.at, json: '' };
    case 'offer':
      return { kind: 'offer', id: change.offer.offerId, at: change.at, json: JSON.stringify(change.offer) };
    case 'offerDeleted':
      return { kind: 'offer', id: change.offerId, at: change.at, json: '' };
  }
}

export function changeOf(fields: readonly string[]): { kind: CatalogueKind; id: string } | undefined {
  const [, kind, , id] = fields;
  return (kind === 'item' || kind === 'offer') && id !== undefined ? { kind, id } : undefined;
}

export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
