/**
 * What a churn model is learnt from: customers at instants as rows of scaled inputs, with what the probability models say of
 * each.
 */
import { createInputWriter, DERIVED_INPUTS, type PurchaseParameters } from '../../algorithms/churn-inputs.ts';
import { type ChurnScaling, scaleInputs } from '../../algorithms/churn-model.ts';
import { mbgNbd } from '../../algorithms/customer-base/beta-geometric.ts';
import { paretoNbd } from '../../algorithms/customer-base/pareto-nbd.ts';
import type { PurchaseSummary } from '../../algorithms/customer-base/purchase-summary.ts';
import { createRng } from '../../algorithms/rng.ts';
import { dayMs } from '../../domain/time.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { Look } from './moments.ts';
import type { SampleSet } from './samples.ts';

/** Looks to learn from, each with the customers as they were then, and the customers at the end of what may be seen. */
export type Study = { looks: readonly (Look & { set: SampleSet })[]; atEnd: SampleSet };

/** What was learnt from: rows of scaled inputs, with the probability models' logits and the labels. */
export type LearnRows = {
  width: number;
  inputs: Float32Array;
  /** Logits of no purchase by each of the two models. */
  mbgNbd: Float64Array;
  paretoNbd: Float64Array;
  labels: Uint8Array;
  customers: Uint32Array;
};

export type Prepared = { purchases: PurchaseParameters; scaling: ChurnScaling; rows: LearnRows };

/**
 * Fits the probability models to all that is known at the end, and makes rows of all looks; of some customers where there
 * would be more than `rowsMax`.
 */
export function prepareRows(study: Study, seed: number, rowsMax: number): Prepared {
  const purchases = fitPurchases(study.atEnd);
  const writer = createInputWriter(FEATURE_NAMES, purchases);
  const width = writer.names.length;
  const available = study.looks.reduce((sum, { set }) => sum + set.rows, 0);
  const share = Math.min(1, rowsMax / available);
  const draws = new Map<number, boolean>();
  const isDrawn = (customer: number) => {
    if (share === 1) return true;
    const drawn = draws.get(customer) ?? createRng(seed, 'churn', 'draw', customer).next() < share;
    draws.set(customer, drawn);
    return drawn;
  };
  const picked = study.looks.flatMap(({ set, horizonMs }) => {
    const horizonDays = horizonMs / dayMs;
    const kept: { set: SampleSet; row: number; horizonDays: number }[] = [];
    for (let row = 0; row < set.rows; row++)
      if (isDrawn(set.customers[row]!)) kept.push({ set, row, horizonDays });
    return kept;
  });
  const inputs = new Float32Array(picked.length * width);
  for (const [n, { set, row, horizonDays }] of picked.entries())
    writer.write(set.features, row * FEATURE_NAMES.length, horizonDays, inputs, n * width);
  const column = (j: number) => Float64Array.from(picked, (_, n) => inputs[n * width + j]!);
  const rows = {
    width,
    inputs,
    mbgNbd: column(DERIVED_INPUTS.indexOf('mbgNbdLogit')),
    paretoNbd: column(DERIVED_INPUTS.indexOf('paretoNbdLogit')),
    labels: Uint8Array.from(picked, ({ set, row, horizonDays }) =>
      set.daysToNextOrder[row]! >= horizonDays ? 1 : 0,
    ),
    customers: Uint32Array.from(picked, ({ set, row }) => set.customers[row]!),
  };
  const scaling = fitScaling(rows);
  for (let n = 0; n < picked.length; n++) scaleInputs(scaling, inputs, n * width);
  return { purchases, scaling, rows };
}

/** To what is known of all customers' purchases. */
function fitPurchases(set: SampleSet): PurchaseParameters {
  const summary = purchasesOf(set);
  return { mbgNbd: mbgNbd.fit(summary).parameters, paretoNbd: paretoNbd.fit(summary).parameters };
}

/** Each row as the probability models see it, in days. */
export function purchasesOf({ rows, features }: SampleSet): PurchaseSummary {
  const column = (name: string) => {
    const at = FEATURE_NAMES.indexOf(name);
    return Float64Array.from({ length: rows }, (_, row) => features[row * FEATURE_NAMES.length + at]!);
  };
  const age = column('daysSinceFirstOrder');
  // Single precision may put the last order a hair behind the end.
  const recency = column('firstToLastOrderDays').map((days, row) => Math.min(days, age[row]!));
  const frequency = column('repeatErrands');
  for (let row = 0; row < rows; row++) if (frequency[row] === 0) recency[row] = 0;
  return { frequency, recency, age };
}

/** Mean and standard deviation of each input. */
function fitScaling({ width, inputs, labels }: LearnRows): ChurnScaling {
  const rows = labels.length;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let at = 0; at < inputs.length; at += width)
    for (let j = 0; j < width; j++) {
      const value = inputs[at + j]!;
      sum[j]! += value;
      squares[j]! += value * value;
    }
  const mean = Float32Array.from(sum, (total) => total / rows);
  const spread = Float32Array.from(squares, (total, j) => {
    const variance = total / rows - (sum[j]! / rows) ** 2;
    return variance > 1e-8 ? Math.sqrt(variance) : Number.POSITIVE_INFINITY;
  });
  return { mean, spread };
}
