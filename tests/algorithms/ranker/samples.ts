/** Samples of a ranker in which what is bought follows a rule. */
import { OWN_COLUMN, RANKER_FEATURES } from '../../../src/algorithms/ranker/features.ts';
import { type RankerSamples, SampleCollector } from '../../../src/algorithms/ranker/samples.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

export const width = RANKER_FEATURES.length;

/** Each customer has 20 candidates, half of them their own, and buys those that `bought` says; who buys none is left out. */
export function samplesWhere(
  bought: (row: Float32Array) => boolean,
  customers: number,
  seed: number,
): RankerSamples {
  const rng = createRng(seed);
  const collector = new SampleCollector(width);
  for (let u = 0; u < customers; u++) {
    const rows = Array.from({ length: 20 }, (_, c) => {
      const row = Float32Array.from({ length: width }, () => rng.next());
      row[OWN_COLUMN] = c % 2;
      return row;
    });
    const relevant = rows.filter(bought).length;
    if (relevant === 0) continue;
    for (const row of rows) collector.add(row, bought(row));
    collector.endGroup(relevant);
  }
  return collector.finish();
}
