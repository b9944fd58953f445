import { expect, test } from 'vitest';
import { mlpLogit } from '../../../src/algorithms/mlp.ts';
import { OWN_COLUMN, RANKER_FEATURES } from '../../../src/algorithms/ranker/features.ts';
import { createRankerScorer, type Ranker } from '../../../src/algorithms/ranker/ranker.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

const width = RANKER_FEATURES.length;
const rng = createRng(4);
const values = (length: number) => Float32Array.from({ length }, () => rng.normal());
const mean = values(width);
const spread = values(width).map((value) => 0.5 + Math.abs(value));
const rows = values(2 * width);
rows[OWN_COLUMN] = 0;
rows[width + OWN_COLUMN] = 1;
const scaled = (row: number) => Float32Array.from(mean, (m, f) => (rows[row * width + f]! - m) / spread[f]!);

test('linear: Σ w·(x − mean) / spread, with the weights of new items or of own ones', () => {
  const weights = values(2 * width);
  const scores = new Float32Array(2);
  createRankerScorer({ kind: 'linear', featureNames: RANKER_FEATURES, mean, spread, weights })(
    rows,
    2,
    scores,
  );
  for (const row of [0, 1]) {
    const expected = scaled(row).reduce((sum, x, f) => sum + weights[row * width + f]! * x, 0);
    expect(scores[row]).toBeCloseTo(expected, 3);
  }
});

test('network: as the plain forward pass has it, row after row', () => {
  const layers = [
    [width, 7],
    [7, 5],
    [5, 1],
  ].map(([inputs, outputs]) => ({
    inputs: inputs!,
    outputs: outputs!,
    weights: values(inputs! * outputs!),
    bias: values(outputs!),
  }));
  const ranker: Ranker = { kind: 'network', featureNames: RANKER_FEATURES, mean, spread, layers };
  const scores = new Float32Array(2);
  createRankerScorer(ranker)(rows, 2, scores);
  for (const row of [0, 1]) expect(scores[row]).toBeCloseTo(mlpLogit(layers, scaled(row)), 3);
});
