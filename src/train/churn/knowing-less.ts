/** What a churn network is held to: the probability models alone, regressions on less, and one risk for everybody. */
import { createInputWriter } from '../../algorithms/churn-inputs.ts';
import { scaleInputs } from '../../algorithms/churn-model.ts';
import { baseRate } from '../../algorithms/classification-metrics.ts';
import { mbgNbd } from '../../algorithms/customer-base/beta-geometric.ts';
import { paretoNbd } from '../../algorithms/customer-base/pareto-nbd.ts';
import type { Outlook } from '../../algorithms/customer-base/purchase-model.ts';
import { fitLogistic, logisticLogit, sigmoid } from '../../algorithms/logistic-regression.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { learnDefaults, pickColumns, RFM_FEATURES } from './learn.ts';
import { type Prepared, purchasesOf } from './learn-rows.ts';
import type { SampleSet } from './samples.ts';

export const KNOWING_LESS = ['mbg-nbd', 'pareto-nbd', 'logistic', 'recency', 'base-rate'] as const;
export type KnowingLess = (typeof KNOWING_LESS)[number];

/** Risks by the probability models alone, and by regressions on the same rows and inputs as the network's. */
export function risksKnowingLess(
  { purchases, scaling, rows }: Prepared,
  atEnd: SampleSet,
  horizonDays: number,
): Record<KnowingLess, Float64Array> {
  const writer = createInputWriter(FEATURE_NAMES, purchases);
  const { width, labels } = rows;
  const inputs = new Float32Array(atEnd.rows * width);
  for (let row = 0; row < atEnd.rows; row++) {
    writer.write(atEnd.features, row * FEATURE_NAMES.length, horizonDays, inputs, row * width);
    scaleInputs(scaling, inputs, row * width);
  }
  const { frequency, recency, age } = purchasesOf(atEnd);
  const by = ({ noPurchaseProbability }: Outlook) =>
    frequency.map((x, row) => noPurchaseProbability(x, recency[row]!, age[row]!, horizonDays));
  const regression = (names: readonly string[]) => {
    const columns = names.map((name) => writer.names.indexOf(name));
    const fitted = fitLogistic(
      pickColumns(rows.inputs, width, columns),
      columns.length,
      labels,
      learnDefaults.ridge.rfm,
    );
    const asked = pickColumns(inputs, width, columns);
    return Float64Array.from({ length: atEnd.rows }, (_, row) =>
      sigmoid(logisticLogit(fitted, asked, row * columns.length)),
    );
  };
  return {
    'mbg-nbd': by(mbgNbd.given(purchases.mbgNbd)),
    'pareto-nbd': by(paretoNbd.given(purchases.paretoNbd)),
    logistic: regression(RFM_FEATURES),
    recency: regression(['daysSinceLastOrder']),
    'base-rate': new Float64Array(atEnd.rows).fill(baseRate(labels)),
  };
}
