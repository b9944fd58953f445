/** The feature vector of those who must not take a stand-in for an observation: rules, the log, people. Models read the whole one. */
import type { CustomerRecord } from './record.ts';
import { FEATURE_NAMES, FEATURES } from './registry.ts';

const positionOf = new Map(FEATURE_NAMES.map((name, at) => [name, at]));
const withStandIns = FEATURES.flatMap((feature, f) =>
  feature.unknown === undefined ? [] : [{ feature, f }],
);

/** `vector` is the record's; answers a copy in which NaN stands for what was never observed. */
export function knownFeatures(record: CustomerRecord, vector: Float32Array): Float32Array {
  const known = vector.slice();
  for (const { feature, f } of withStandIns)
    for (const name of feature.unknown?.(record.slices[f]!) ?? []) known[positionOf.get(name)!] = Number.NaN;
  return known;
}
