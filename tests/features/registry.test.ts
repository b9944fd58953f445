import { expect, test } from 'vitest';
import {
  FEATURE_NAMES,
  FEATURE_OFFSETS,
  FEATURE_SCHEMA,
  FEATURES,
  STATE_LENGTH,
} from '../../src/features/registry.ts';

test('names of features and of outputs are unique', () => {
  expect(new Set(FEATURES.map(({ name }) => name)).size).toBe(FEATURES.length);
  expect(new Set(FEATURE_NAMES).size).toBe(FEATURE_NAMES.length);
});

test('the parts of the state lie one after the other and fill it', () => {
  let next = 0;
  FEATURES.forEach((feature, f) => {
    expect(FEATURE_OFFSETS[f]!.slots).toBe(next);
    next += feature.slots.length;
  });
  expect(next).toBe(STATE_LENGTH);
});

test('the schema is eight hex digits', () => {
  expect(FEATURE_SCHEMA).toMatch(/^[0-9a-f]{8}$/);
});
