import { expect, test } from 'vitest';
import { bandOf, quantilesOf } from '../../../src/algorithms/customer-value/bands.ts';
import { RFM_SEGMENTS, rfmScores, rfmSegment } from '../../../src/algorithms/customer-value/rfm-segment.ts';
import { valueSettings } from './support.ts';

const { thresholds } = valueSettings();

test.each([
  ['buys often, much and lately', 20, 300, 305, 900, 'champion'],
  ['buys often, and was here a while ago', 20, 300, 350, 900, 'loyal'],
  ['came twice, lately', 2, 20, 25, 300, 'potentialLoyal'],
  ['came for the first time last week', 1, 0, 7, 300, 'new'],
  ['came once, some weeks ago', 1, 0, 20, 300, 'promising'],
  ['buys now and then, not lately', 3, 60, 110, 300, 'needsAttention'],
  ['bought often, and has stayed away for three months', 12, 300, 390, 900, 'atRisk'],
  ['was among the best, and has stayed away for half a year', 20, 300, 480, 900, 'cannotLose'],
  ['came once, three months ago', 1, 0, 90, 300, 'hibernating'],
  ['came once, a year ago', 1, 0, 365, 9000, 'lost'],
])('%s', (_who, errands, recencyDays, ageDays, averageMarginMinor, segment) => {
  const past = { errands, recencyDays, ageDays, averageMarginMinor };
  expect(rfmSegment(rfmScores(thresholds, past))).toBe(segment);
});

test('every combination of scores has a segment, and every segment has somebody', () => {
  const named = new Set<string>();
  for (let recency = 1; recency <= 5; recency++)
    for (let frequency = 1; frequency <= 5; frequency++)
      for (let money = 1; money <= 5; money++) named.add(rfmSegment({ recency, frequency, money }));
  expect([...named].sort()).toEqual([...RFM_SEGMENTS].sort());
});

test('a value at a limit belongs to the band below it', () => {
  expect([0, 10, 10.5, 20, 21].map((value) => bandOf([10, 20], value))).toEqual([0, 0, 1, 1, 2]);
  expect(bandOf([], 7)).toBe(0);
});

test('quantiles lie between the values in their order', () => {
  expect(quantilesOf(Float64Array.of(30, 10, 20), [0, 0.25, 0.5, 1])).toEqual([10, 15, 20, 30]);
});
