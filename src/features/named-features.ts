/** The feature vector for people: by name, with null where the vector holds a stand-in for what was never observed. */
import { knownFeatures } from './known-features.ts';
import { type CustomerRecord, featureVector } from './record.ts';
import { FEATURE_NAMES } from './registry.ts';

export function namedFeatures(record: CustomerRecord, now: number): Record<string, number | null> {
  const known = knownFeatures(record, featureVector(record, now));
  return Object.fromEntries(
    FEATURE_NAMES.map((name, n) => [name, Number.isNaN(known[n]) ? null : known[n]!]),
  );
}
