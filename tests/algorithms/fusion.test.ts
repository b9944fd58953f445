import { expect, test } from 'vitest';
import { fuseByRank } from '../../src/algorithms/fusion.ts';

const list = (...indices: number[]) => ({
  indices: Int32Array.from(indices),
  scores: new Float32Array(indices.length),
});

test('an item scores Σ weight / (rankConstant + rank) over the lists that hold it', () => {
  const fused = fuseByRank(
    [
      { source: 'a', weight: 2, list: list(5, 6) },
      { source: 'b', weight: 1, list: list(6, 7) },
    ],
    10,
    10,
  );
  expect(fused.map(({ index }) => index)).toEqual([6, 5, 7]);
  expect(fused[0]?.score).toBeCloseTo(2 / 12 + 1 / 11, 12);
  expect(fused[1]?.score).toBeCloseTo(2 / 11, 12);
  expect(fused[2]?.score).toBeCloseTo(1 / 12, 12);
});

test('the source that added most comes first among the reasons', () => {
  const [first] = fuseByRank(
    [
      { source: 'a', weight: 1, list: list(1) },
      { source: 'b', weight: 3, list: list(2, 1) },
    ],
    1,
    0,
  );
  // 1: 1/1 from a and 3/2 from b; 2: 3/1 from b.
  expect(first).toEqual({ index: 2, score: 3, sources: [{ source: 'b', rank: 1, share: 3 }] });
  const [, second] = fuseByRank(
    [
      { source: 'a', weight: 1, list: list(1) },
      { source: 'b', weight: 3, list: list(2, 1) },
    ],
    2,
    0,
  );
  expect(second?.sources.map(({ source }) => source)).toEqual(['b', 'a']);
});

test('a source of weight 0 adds nothing, not even candidates', () => {
  expect(fuseByRank([{ source: 'a', weight: 0, list: list(1, 2) }], 5, 60)).toEqual([]);
});

test('equal scores are ordered by index, and k bounds the list', () => {
  const lists = [
    { source: 'a', weight: 1, list: list(9) },
    { source: 'b', weight: 1, list: list(4) },
  ];
  expect(fuseByRank(lists, 5, 1).map(({ index }) => index)).toEqual([4, 9]);
  expect(fuseByRank(lists, 1, 1).map(({ index }) => index)).toEqual([4]);
  expect(fuseByRank(lists, 0, 1)).toEqual([]);
});
