/**
 * The items of an answer as JSON, put together from pieces. What an answer says of an item itself is the same on every page, and so is
 * a reason that names nothing but another item: each is written once, and again when the catalogue has another.
 */
import type { Item } from '../../domain/item.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { RecommendedItem } from './pool-item.ts';
import type { Reason } from './reasons.ts';
import type { RelatedItem } from './related-items.ts';

/** As `JSON.stringify` has them; without `explain`, what each source did and which rules changed a place is left out. */
export type ItemsText = (items: readonly (RecommendedItem | RelatedItem)[], explain?: boolean) => string;

/** `head`: the answer's first fields, without its end. `because`: reasons that this item is, by their code. */
type Pieces = { head: string; because: Partial<Record<Reason['code'], string>> };

export function createItemsText(catalogue: Pick<Catalogue, 'items'>): ItemsText {
  // An item is replaced when it changes: as many pieces are kept as the catalogue has items.
  const known = new WeakMap<Item, Pieces>();
  /** Those that name nothing: their words are all in reasons.ts. */
  const general = new Map<string, string>();

  function piecesOf(item: Item): Pieces {
    let pieces = known.get(item);
    if (pieces === undefined) {
      pieces = { head: headOf(item.itemId, item.name || undefined), because: {} };
      known.set(item, pieces);
    }
    return pieces;
  }

  function reasonText(reason: Reason): string {
    const { code, text, itemId, usualGapDays, segment, category } = reason;
    // The words of the customer's own, and of markets and categories, are many.
    if (usualGapDays !== undefined || segment !== undefined || category !== undefined)
      return JSON.stringify(reason);
    if (itemId !== undefined) {
      const item = catalogue.items.get(itemId);
      if (item === undefined) return JSON.stringify(reason);
      const { because } = piecesOf(item);
      because[code] ??= JSON.stringify(reason);
      return because[code];
    }
    let written = general.get(text);
    if (written === undefined) {
      written = JSON.stringify(reason);
      general.set(text, written);
    }
    return written;
  }

  function itemText(answered: RecommendedItem | RelatedItem, explain: boolean): string {
    const { itemId, name, score, reasons } = answered;
    const item = catalogue.items.get(itemId);
    let text = item === undefined ? headOf(itemId, name) : piecesOf(item).head;
    text += `,"score":${Number.isFinite(score) ? score : null}`;
    if ('source' in answered) text += `,"source":"${answered.source}"`;
    text += `,"reasons":[${reasons.map(reasonText).join(',')}]`;
    if (explain && 'source' in answered) {
      const { contributions, arranged } = answered;
      text += `,"contributions":${JSON.stringify(contributions)},"arranged":${JSON.stringify(arranged)}`;
    }
    return `${text}}`;
  }

  return (items, explain = false) => `[${items.map((item) => itemText(item, explain)).join(',')}]`;
}

function headOf(itemId: string, name: string | undefined): string {
  return JSON.stringify({ itemId, name }).slice(0, -1);
}
