/** A small invented shop with models whose answers can be told by hand. */

import { churnToFiles } from '../../src/algorithms/churn-files.ts';
import { DERIVED_INPUTS } from '../../src/algorithms/churn-inputs.ts';
import type { ChurnModel } from '../../src/algorithms/churn-model.ts';
import { type CollaborativeModel, collaborativeToFiles } from '../../src/algorithms/collaborative-model.ts';
import { type CsrMatrix, csrFromTriplets } from '../../src/algorithms/csr.ts';
import { customerValueToFiles } from '../../src/algorithms/customer-value/customer-value-files.ts';
import { RANKER_FEATURES } from '../../src/algorithms/ranker/features.ts';
import type { Ranker } from '../../src/algorithms/ranker/ranker.ts';
import { type Item, Item as ItemSchema } from '../../src/domain/item.ts';
import type { ModelManifest } from '../../src/domain/manifest.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../src/features/registry.ts';
import { newModelVersion, publishModel } from '../../src/infra/model-store.ts';

const perGroup = 10;

/** coffee-0 … coffee-9, tea-0 … tea-9. coffee-8 is out of stock, coffee-9 no longer sold. */
export const shopItems: readonly Item[] = ['coffee', 'tea'].flatMap((category) =>
  Array.from({ length: perGroup }, (_, k) =>
    ItemSchema.parse({
      itemId: `${category}-${k}`,
      name: `${category === 'coffee' ? 'Coffee' : 'Tea'} no. ${k}`,
      category,
      priceMinor: 500 + 100 * k,
      inStock: !(category === 'coffee' && k === 8),
      discontinued: category === 'coffee' && k === 9,
    }),
  ),
);

/** In the catalogue, never sold: no model knows it. */
export const newItem: Item = ItemSchema.parse({ itemId: 'cocoa-0', name: 'Cocoa', category: 'cocoa' });

/**
 * Two tastes that share nothing: one factor each, so that a customer of the one likes the items of the one, the lower
 * number the better. Item k of one taste is bought in one basket with item k of the other. Tea sells best in Norway,
 * coffee everywhere else. Coffee is bought again every 10 days, tea every 30.
 */
export function shopModel(): CollaborativeModel {
  const itemIds = shopItems.map(({ itemId }) => itemId);
  const items = itemIds.length;
  const factors = 4;
  const groupOf = (i: number) => Math.floor(i / perGroup);
  const rankOf = (i: number) => i % perGroup;
  const itemFactors = new Float32Array(items * factors);
  for (let i = 0; i < items; i++) itemFactors[i * factors + groupOf(i)] = 1 - 0.05 * rankOf(i);
  const gram = new Float64Array(factors * factors);
  for (let i = 0; i < items; i++) {
    const at = i * factors + groupOf(i);
    gram[groupOf(i) * factors + groupOf(i)]! += itemFactors[at]! ** 2;
  }
  const pairs = (score: (a: number, b: number) => number): CsrMatrix => {
    const triplets = { row: [] as number[], col: [] as number[], value: [] as number[] };
    for (let a = 0; a < items; a++) {
      for (let b = 0; b < items; b++) {
        const value = a === b ? 0 : score(a, b);
        if (value === 0) continue;
        triplets.row.push(a);
        triplets.col.push(b);
        triplets.value.push(value);
      }
    }
    return csrFromTriplets(items, items, triplets);
  };
  const popularity = Float32Array.from([
    ...shopItems.map((_, i) => (groupOf(i) === 0 ? 20 - rankOf(i) : 10 - rankOf(i)) / 210),
    ...shopItems.map((_, i) => (groupOf(i) === 1 ? 20 - rankOf(i) : 10 - rankOf(i)) / 210),
  ]);
  return {
    itemIds,
    itemIndex: new Map(itemIds.map((id, i) => [id, i])),
    factors,
    itemFactors,
    gram,
    unobservedWeight: 0.1,
    regularization: 0.01,
    regularizationExponent: 1,
    asOf: Date.UTC(2026, 0, 1),
    weighting: { halfLifeDays: 180, floor: 0.3 },
    neighbours: pairs((a, b) => (groupOf(a) === groupOf(b) ? 1 / (1 + Math.abs(a - b)) : 0)),
    boughtTogether: pairs((a, b) => (rankOf(a) === rankOf(b) ? 1 : 0)),
    segments: ['', 'Norway'],
    popularity,
    rhythm: {
      gapDays: Float32Array.from(itemIds, (_, i) => (groupOf(i) === 0 ? 10 : 30)),
      repeatShare: new Float32Array(items).fill(0.6),
      shape: 3,
    },
    buyAgainHorizonDays: 14,
    fusion: { weights: { ials: 1, neighbours: 0.5, buyAgain: 1.5, popularity: 0.1 }, rankConstant: 10 },
  };
}

/**
 * A linear ranker: `weights` by feature, for items that were not bought and for those that were; a feature counts as it is,
 * without scaling.
 */
export function linearRanker(
  fresh: Partial<Record<string, number>>,
  own: Partial<Record<string, number>>,
): Ranker {
  const width = RANKER_FEATURES.length;
  const weights = Float32Array.from([
    ...RANKER_FEATURES.map((name) => fresh[name] ?? 0),
    ...RANKER_FEATURES.map((name) => own[name] ?? 0),
  ]);
  return {
    kind: 'linear',
    featureNames: RANKER_FEATURES,
    mean: new Float32Array(width),
    spread: new Float32Array(width).fill(1),
    weights,
  };
}

/** Linear: the risk rises with `overdueRatio` and falls with `purchaseCount`; the probability models have no say. */
export function shopChurnModel(): ChurnModel {
  const names = [...DERIVED_INPUTS, ...FEATURE_NAMES];
  const width = names.length;
  const weights = new Float32Array(width);
  weights[names.indexOf('overdueRatio')] = 2;
  weights[names.indexOf('purchaseCount')] = -1;
  return {
    featureNames: FEATURE_NAMES,
    purchases: {
      mbgNbd: { r: 0.5, alpha: 20, a: 0.8, b: 2.5 },
      paretoNbd: { r: 0.55, alpha: 20, s: 0.6, beta: 60 },
    },
    prior: { mbgNbd: 0, paretoNbd: 0 },
    mean: new Float32Array(width),
    spread: new Float32Array(width).fill(1),
    wide: { inputs: width, outputs: 1, weights, bias: Float32Array.of(0) },
    members: [],
    calibration: { slope: 0.4, intercept: 0 },
    horizonDays: 60,
    horizons: [30, 60, 90],
    gone: { afterDays: 180, risk: 0.9 },
  };
}

let published = 0;

/** Publishes the collaborative model as a new version. */
export function publishShopModel(
  modelsDir: string,
  change: (model: CollaborativeModel) => CollaborativeModel = (model) => model,
): Promise<ModelManifest> {
  const { arrays, tables } = collaborativeToFiles(change(shopModel()));
  return publishModel(modelsDir, draft('collaborative', null), arrays, tables);
}

export function publishShopChurnModel(
  modelsDir: string,
  featureSchema: string = FEATURE_SCHEMA,
): Promise<ModelManifest> {
  const { arrays, tables } = churnToFiles(shopChurnModel());
  return publishModel(modelsDir, draft('churn', featureSchema), arrays, tables);
}

/** Half of the shop's customers at a risk of .3 and a value of 5.00 at most; items are worth 30 % of their price. */
export function shopValueFiles() {
  const { arrays, tables } = customerValueToFiles({
    purchases: { model: 'mbg-nbd', parameters: { r: 1, alpha: 20, a: 0.5, b: 2 } },
    spend: { p: 6, q: 4, v: 150 },
    regularity: 1,
    horizonDays: 365,
    annualDiscountRate: 0.1,
    margins: { assumedShare: 0.3, known: new Map() },
    thresholds: {
      recencyDays: [7, 30, 90, 200],
      errands: [2, 4, 8],
      marginMinor: [100, 500, 1000, 2000],
      valueMinor: [500, 5000, 50_000],
      risk: [0.3, 0.6, 0.9],
    },
  });
  return [arrays, tables] as const;
}

export function publishShopValueModel(modelsDir: string): Promise<ModelManifest> {
  return publishModel(modelsDir, draft('customer-value', null), ...shopValueFiles());
}

function draft(name: 'collaborative' | 'churn' | 'customer-value', featureSchema: string | null) {
  // A second apart each, so that the newest is the one published last.
  const trainedAt = Date.UTC(2026, 0, 1) + 1000 * published++;
  return {
    name,
    version: newModelVersion(trainedAt, Math.random),
    createdAt: new Date(trainedAt).toISOString(),
    featureSchema,
    dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2025-12-31T00:00:00.000Z' },
    parameters: {},
    metrics: { ndcgAt10: 0.1 },
    backend: 'wasm-simd',
    gate: { passed: true, reason: 'a fixture' },
  };
}
