import { expect, test } from 'vitest';
import { rfmQuery } from '../../src/insights/rfm.ts';
import { testLake } from '../support/lake.ts';

/** Segments of customers with (days before the period, purchases, net revenue). */
async function segmentsOf(customers: readonly (readonly [number, number, number])[]): Promise<string[]> {
  const { connection } = await testLake();
  const rows = customers.map(
    ([ago, purchases, net], n) => `(${n}, DATE '2026-03-01' - ${ago}, ${purchases}, ${net})`,
  );
  await connection.run(
    `CREATE TEMP TABLE buyers AS SELECT * FROM (VALUES ${rows.join(', ')}) t(customerId, lastBefore, daysBefore, netBefore)`,
  );
  const read = await connection.runAndReadAll(`SELECT rfm FROM (${rfmQuery('buyers')}) ORDER BY customerId`);
  return read.getRows().map(([rfm]) => String(rfm));
}

test('who buys often, of late and for much is a champion; who did once is not to be lost', async () => {
  // Recency: percent ranks 1, 3/4, 1/2, 1/4, 0 are fifths 5, 4, 3, 2, 1, and money likewise by what it says. Frequency of
  // the four who bought more than once (2, 4, 6, 8): ranks 0, 1/3, 2/3, 1 are 2, 3, 4, 5.
  const segments = await segmentsOf([
    [1, 8, 5000], // 5, 5, 4: mean of frequency and money 4.5
    [20, 2, 100], // 4, 2, 1: 1.5
    [40, 1, 300], // 3, 1
    [60, 4, 900], // 2, 3, 3: 3
    [90, 6, 9000], // 1, 4, 5: 4.5
  ]);
  expect(segments).toEqual(['champion', 'potentialLoyal', 'promising', 'atRisk', 'cannotLose']);
});

test('who is alike is in the same segment, however many there are', async () => {
  const segments = await segmentsOf(Array.from({ length: 40 }, () => [10, 1, 500] as const));
  expect(new Set(segments).size).toBe(1);
});
