/**
 * A large catalogue out of a small one: every item of a simulated shop is copied, with factors of its own, under new ids. What a
 * scan of the factors, the catalogue in memory and the model's files cost is as with so many items that were sold; what was
 * bought, and with what, is that of the originals alone.
 */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import { collaborativeFromFiles, collaborativeToFiles } from '../../algorithms/collaborative-model.ts';
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { indexExemplars } from '../../algorithms/customer-neighbours.ts';
import { gramOf } from '../../algorithms/dense.ts';
import { createRng } from '../../algorithms/rng.ts';
import { ItemId } from '../../domain/ids.ts';
import type { Item } from '../../domain/item.ts';
import type { CatalogueStore } from '../../infra/catalogue-store.ts';
import { loadModel, newModelVersion, publishModel } from '../../infra/model-store.ts';

const written = 1000;
/** Of a copy's factors, beside the spread of the original's: how far they are from those. */
const apart = 0.5;

const copyOf = (itemId: string, copy: number) => ItemId.parse(`${itemId}-copy-${copy}`);

/** Puts `copies` of each item beside it. */
export async function copyItems(store: CatalogueStore, copies: number, at: number): Promise<void> {
  const items = new Map<string, Item>();
  for await (const batch of store.loadAll()) for (const item of batch.items) items.set(item.itemId, item);
  let waiting: Item[] = [];
  for (let copy = 1; copy <= copies; copy++) {
    for (const item of items.values()) {
      waiting.push({ ...item, itemId: copyOf(item.itemId, copy) });
      if (waiting.length < written) continue;
      await store.putItems(waiting, at);
      waiting = [];
    }
  }
  if (waiting.length > 0) await store.putItems(waiting, at);
}

/** Publishes the served collaborative model anew, with `copies` of each of its items. */
export async function publishWithCopies(modelsDir: string, copies: number): Promise<void> {
  const { manifest, arrays, tables } = await loadModel(modelsDir, 'collaborative');
  const { files: _files, ...draft } = manifest;
  const model = withCopies(collaborativeFromFiles(arrays, tables), copies);
  const { arrays: itsArrays, tables: itsTables } = collaborativeToFiles(model);
  const version = newModelVersion(Date.now(), Math.random);
  await publishModel(modelsDir, { ...draft, version }, itsArrays, itsTables);
}

/** Copies come after the originals, all of the first copy before those of the second. */
export function withCopies(model: CollaborativeModel, copies: number): CollaborativeModel {
  const { itemFactors, factors, rhythm, sources } = model;
  const items = model.itemIds.length;
  const total = items * (copies + 1);
  const itemIds = [...model.itemIds];
  for (let copy = 1; copy <= copies; copy++)
    for (const itemId of model.itemIds) itemIds.push(copyOf(itemId, copy));
  const repeated = <A extends Float32Array | Int32Array>(values: A, out: A): A => {
    for (let copy = 0; copy <= copies; copy++) out.set(values, copy * values.length);
    return out;
  };
  const floats = (values: Float32Array) => repeated(values, new Float32Array(total));
  /** Nothing was bought with a copy. */
  const grown = (matrix: CsrMatrix): CsrMatrix => {
    const indptr = new Int32Array(total + 1).fill(matrix.indices.length);
    indptr.set(matrix.indptr);
    return { ...matrix, rows: total, cols: total, indptr };
  };
  const popularity = new Float32Array(model.segments.length * total);
  for (let s = 0; s < model.segments.length; s++)
    popularity.set(model.popularity.subarray(s * items, (s + 1) * items), s * total);
  const grownFactors = copiedFactors(itemFactors, factors, copies);
  return {
    ...model,
    itemIds,
    itemIndex: new Map(itemIds.map((id, i) => [id, i])),
    itemFactors: grownFactors,
    gram: gramOf(grownFactors, factors),
    neighbours: grown(model.neighbours),
    boughtTogether: grown(model.boughtTogether),
    popularity,
    rhythm: { ...rhythm, gapDays: floats(rhythm.gapDays), repeatShare: floats(rhythm.repeatShare) },
    ...(sources !== undefined && {
      sources: {
        ...sources,
        facts: {
          category: repeated(sources.facts.category, new Int32Array(total)),
          logPrice: floats(sources.facts.logPrice),
          daysOnSale: floats(sources.facts.daysOnSale),
          daysSinceSold: floats(sources.facts.daysSinceSold),
          trend: floats(sources.facts.trend),
          logSales: floats(sources.facts.logSales),
        },
        customers: {
          ...sources.customers,
          ...indexExemplars({ ...sources.customers.exemplars, cols: total }),
        },
        ...(sources.ease !== undefined && { ease: grown(sources.ease) }),
      },
    }),
  };
}

function copiedFactors(original: Float32Array, factors: number, copies: number): Float32Array {
  const all = new Float32Array(original.length * (copies + 1));
  all.set(original);
  const rng = createRng(1, 'copied factors');
  for (let row = 0; row < original.length; row += factors) {
    const own = original.subarray(row, row + factors);
    const spread = apart * Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / factors);
    for (let copy = 1; copy <= copies; copy++) {
      // Uniform rather than normal: a million rows are to be made in seconds.
      const other = own.map((value) => value + spread * Math.sqrt(3) * (2 * rng.next() - 1));
      all.set(other, copy * original.length + row);
    }
  }
  return all;
}
