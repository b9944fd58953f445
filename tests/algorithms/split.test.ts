import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { cutOff, cutOffs, drawRange, drawsOf, partOf, SALTS } from '../../src/algorithms/split.ts';

test('a draw is what the documented SHA-256 says', () => {
  const digest = createHash('sha256').update('experiment:spring:c0000042').digest();
  expect(drawsOf(SALTS.experiment('spring'), 'c0000042')).toEqual({
    x: digest.readUInt32BE(0),
    y: digest.readUInt32BE(4),
  });
});

test('parts have the sizes of their weights and leave no draw out', () => {
  expect(cutOffs([1, 1, 2])).toEqual([drawRange / 4, drawRange / 2, drawRange]);
  expect(cutOffs([0.1, 0.2, 0.7]).at(-1)).toBe(drawRange);
  const ends = cutOffs([1, 1, 2]);
  const lastDraws = ends.map((end) => end - 1);
  expect(lastDraws.map((draw) => partOf(draw, ends))).toEqual([0, 1, 2]);
  expect(partOf(ends[0]!, ends)).toBe(1);
  expect([cutOff(0), cutOff(1)]).toEqual([0, drawRange]);
});

test('the two draws of an id, and those under two salts, do not depend on each other', () => {
  // 10 × 10 cells; the statistic has 81 degrees of freedom, of which 137 is the 99.99 % quantile.
  const chiSquare = (cellOf: (id: string) => [number, number]) => {
    const counts = new Float64Array(100);
    const n = 100_000;
    for (let i = 0; i < n; i++) {
      const [a, b] = cellOf(`customer-${i}`);
      counts[10 * Math.floor((10 * a) / drawRange) + Math.floor((10 * b) / drawRange)]!++;
    }
    return counts.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
  };
  const [one, other] = [SALTS.experiment('one'), SALTS.experiment('other')];
  // All 99 degrees of freedom here: the margins are tried as well. 99.99 %: 161.
  expect(chiSquare((id) => [drawsOf(one, id).x, drawsOf(one, id).y])).toBeLessThan(161);
  expect(chiSquare((id) => [drawsOf(one, id).x, drawsOf(other, id).x])).toBeLessThan(161);
  expect(chiSquare((id) => [drawsOf(SALTS.controlGroup, id).x, drawsOf(one, id).y])).toBeLessThan(161);
});
