import { expect, test } from 'vitest';
import { contentFactorsOf, fitContentFactors } from '../../src/algorithms/content-factors.ts';
import type { ItemContent } from '../../src/algorithms/content-tokens.ts';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { gramOf } from '../../src/algorithms/dense.ts';
import { fitIals, IalsOptions } from '../../src/algorithms/ials.ts';
import { createRowSolver } from '../../src/algorithms/ials-row.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { dayMs } from '../../src/domain/time.ts';
import { simulated } from '../simulation/in-memory.ts';
import { testKernels } from '../support/kernels.ts';

/** 40 items whose factors are told by category and brand alone: coffee (1, 0), tea (0, 1), Elm +(0.2, 0.2). */
function toyShop() {
  const contents: ItemContent[] = [];
  const itemFactors = new Float32Array(40 * 4);
  for (let i = 0; i < 40; i++) {
    const isTea = i % 2 === 1;
    const isElm = i % 4 > 1;
    contents.push({
      category: isTea ? 'tea' : 'coffee',
      brand: isElm ? 'Elm' : 'Oak',
      name: `no. ${100 + i}`,
    });
    itemFactors[4 * i] = (isTea ? 0 : 1) + (isElm ? 0.2 : 0);
    itemFactors[4 * i + 1] = (isTea ? 1 : 0) + (isElm ? 0.2 : 0);
  }
  return { contents, itemFactors, factors: 4, buyers: new Int32Array(40).fill(100) };
}

test('what content tells of factors is learned, and told of an item that was never seen', () => {
  const model = fitContentFactors(toyShop(), createRng(1, 'content'));
  if (model === undefined) throw new Error('nothing was learned');
  // Weakest λ: the toy has no noise. Words of one item each are no tokens.
  expect(model.ridge).toBe(0.3);
  expect([...model.tokens].sort()).toEqual([
    'brand:Elm',
    'brand:Oak',
    'category:coffee',
    'category:tea',
    'word:no',
  ]);
  const elmTea = contentFactorsOf(model, { category: 'tea', brand: 'Elm', name: 'something else' });
  [0.2, 1.2, 0, 0].forEach((value, f) => {
    expect(elmTea?.[f]).toBeCloseTo(value, 1);
  });
  // Half-way between coffee and tea: (0.5, 0.5) + half of Elm's (0.2, 0.2), + the other half.
  const elmAlone = contentFactorsOf(model, { category: '', brand: 'Elm', name: '' });
  expect(elmAlone?.[0]).toBeCloseTo(0.7, 1);
});

test('nothing is said of an item whose tokens are all unknown, nor learned from items that nobody bought', () => {
  const shop = toyShop();
  const model = fitContentFactors(shop, createRng(1, 'content'));
  expect(model && contentFactorsOf(model, { category: 'cocoa', name: 'sweet' })).toBeUndefined();
  expect(fitContentFactors({ ...shop, buyers: new Int32Array(40) }, createRng(1))).toBeUndefined();
  const unlisted = { ...shop, contents: shop.contents.map(() => undefined) };
  expect(fitContentFactors(unlisted, createRng(1))).toBeUndefined();
});

test('items that were hidden from training are ranked for their later buyers: far above chance, above what sells in the category', async () => {
  const { items, customers, shop } = await simulated({ customers: 1500, items: 300, days: 300, seed: 5 });
  expect(shop.kind).toBe('shop');
  const itemIndex = new Map(items.map(({ itemId }, i) => [itemId, i]));
  const hidden = items.flatMap((_, i) => (i % 6 === 0 ? [i] : []));
  const isHidden = new Set(hidden);
  const endAt = Date.UTC(2026, 5, 30);
  const triplets = { row: [] as number[], col: [] as number[], value: [] as number[] };
  const later: Set<number>[] = [];
  const buyers = new Int32Array(items.length);
  [...customers.values()].forEach(({ events }, u) => {
    const seen = new Set<number>();
    later.push(new Set());
    for (const { type, lines = [], at } of events) {
      if (type !== 'purchase') continue;
      for (const { itemId } of lines) {
        const i = itemIndex.get(itemId)!;
        if (isHidden.has(i)) {
          if (at > endAt - 90 * dayMs) later[u]!.add(i);
        } else if (!seen.has(i) && at < endAt - 90 * dayMs) {
          seen.add(i);
          buyers[i]!++;
          triplets.row.push(u);
          triplets.col.push(i);
          triplets.value.push(1);
        }
      }
    }
  });
  const userItems = csrFromTriplets(customers.size, items.length, triplets);
  const options = IalsOptions.parse({ factors: 32 });
  const { itemFactors } = await fitIals(await testKernels(), userItems, options, {
    rng: createRng(1, 'ials'),
  });
  const contents = items.map(
    ({ category = '', brand, name = '' }): ItemContent => ({ category, brand, name }),
  );
  const model = fitContentFactors(
    { contents, itemFactors, factors: options.factors, buyers },
    createRng(1, 'content'),
  );
  if (model === undefined) throw new Error('nothing was learned');
  const vectors = hidden.map((i) => contentFactorsOf(model, contents[i]!)!);
  const sales = new Map<string, number>();
  contents.forEach(({ category }, i) => {
    sales.set(category, (sales.get(category) ?? 0) + buyers[i]!);
  });
  const prior = hidden.map((i) => sales.get(contents[i]!.category)!);

  const gram = gramOf(itemFactors, options.factors);
  const solve = createRowSolver({ factors: itemFactors, size: options.factors, gram }, options);
  const sums = { content: 0, prior: 0, pairs: 0 };
  const user = new Float32Array(options.factors);
  later.forEach((bought, u) => {
    if (bought.size === 0 || userItems.indptr[u] === userItems.indptr[u + 1]) return;
    solve(userItems.indices, userItems.data, userItems.indptr[u]!, userItems.indptr[u + 1]!, user, 0);
    const scores = vectors.map((vector) => vector.reduce((sum, value, f) => sum + value * user[f]!, 0));
    for (const at of hidden.keys()) {
      if (!bought.has(hidden[at]!)) continue;
      for (const other of hidden.keys()) {
        if (bought.has(hidden[other]!)) continue;
        sums.content += Number(scores[at]! > scores[other]!) + 0.5 * Number(scores[at] === scores[other]);
        sums.prior += Number(prior[at]! > prior[other]!) + 0.5 * Number(prior[at] === prior[other]);
        sums.pairs++;
      }
    }
  });
  // Share of (bought, not bought) pairs in the right order (AUC); 0.5 is chance.
  expect(sums.content / sums.pairs).toBeGreaterThan(0.65);
  expect(sums.content / sums.pairs).toBeGreaterThan(sums.prior / sums.pairs + 0.05);
});
