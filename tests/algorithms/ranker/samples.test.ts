import { expect, test } from 'vitest';
import {
  fitScaling,
  joinSamples,
  SampleCollector,
  thinSamples,
} from '../../../src/algorithms/ranker/samples.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

function collect(groups: readonly (readonly (readonly [value: number, bought: boolean])[])[]) {
  const collector = new SampleCollector(1);
  for (const group of groups) {
    for (const [value, bought] of group) collector.add(Float32Array.of(value), bought);
    collector.endGroup(group.filter(([, bought]) => bought).length);
  }
  return collector.finish();
}

test('groups keep their rows, joined too', () => {
  const a = collect([
    [
      [1, true],
      [2, false],
    ],
    [],
  ]);
  const b = collect([
    [
      [3, false],
      [4, true],
      [5, true],
    ],
  ]);
  expect(joinSamples([a, b])).toEqual({
    width: 1,
    indptr: Int32Array.of(0, 2, 2, 5),
    features: Float32Array.of(1, 2, 3, 4, 5),
    labels: Uint8Array.of(1, 0, 0, 1, 1),
    relevant: Int32Array.of(1, 0, 2),
  });
});

test('more rows than there was room for are kept whole', () => {
  const { features, labels } = collect([Array.from({ length: 5000 }, (_, n) => [n, n % 7 === 0] as const)]);
  expect([...features]).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  expect(labels[4998]).toBe(1);
});

test('thinning keeps all that was bought, and about so many others', () => {
  const group = Array.from({ length: 1000 }, (_, n) => [n, n < 30] as const);
  const { labels, relevant } = thinSamples(collect([group]), 100, createRng(1));
  const bought = labels.reduce((sum, label) => sum + label, 0);
  expect([bought, relevant[0]]).toEqual([30, 30]);
  // 970 others, each kept with 100 / 970: 100 ± 4 · √(100 · .9).
  expect(Math.abs(labels.length - bought - 100)).toBeLessThan(38);
});

test('scaling is by mean and standard deviation; what never varies keeps its scale', () => {
  const { mean, spread } = fitScaling(
    collect([
      [
        [2, true],
        [4, false],
      ],
    ]),
  );
  expect([mean[0], spread[0]]).toEqual([3, 1]);
  expect(
    fitScaling(
      collect([
        [
          [2, true],
          [2, false],
        ],
      ]),
    ).spread[0],
  ).toBe(1);
});
