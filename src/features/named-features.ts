/** The feature vector for people: by name, with null where the vector holds a stand-in for what was never observed. */
import { type CustomerRecord, featureVector } from './record.ts';
import { FEATURE_NAMES, FEATURES } from './registry.ts';

export function namedFeatures(record: CustomerRecord, now: number): Record<string, number | null> {
  const vector = featureVector(record, now);
  const unknown = new Set(FEATURES.flatMap((feature, f) => feature.unknown?.(record.slices[f]!) ?? []));
  return Object.fromEntries(FEATURE_NAMES.map((name, n) => [name, unknown.has(name) ? null : vector[n]!]));
}
