import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScoreSheet, scoreSheets } from '../../src/algorithms/score-sheet.ts';
import { topK } from '../../src/algorithms/top-k.ts';

const itemCount = 30;
/** Whose neighbours are full of numbers. */
function sheetAmongOthers(at: number): ScoreSheet {
  const sheets = scoreSheets(itemCount, 8);
  for (const [n, sheet] of sheets.entries())
    for (let item = 0; item < itemCount && n !== at; item++) sheet.add(item, 10 * n + item);
  return sheets[at]!;
}

const additions = fc.array(
  // Few amounts, below 0 too: ties, and sums that come back to 0.
  fc.tuple(fc.integer({ min: 0, max: itemCount - 1 }), fc.constantFrom(-1, -0.5, 0, 0.5, 1)),
  { maxLength: 80 },
);

test.each([
  ['a sheet', new ScoreSheet(itemCount)],
  ['one of several', sheetAmongOthers(2)],
])('the best of %s are those of all items, and nothing is left of it once it is cleared', (_, sheet) => {
  fc.assert(
    fc.property(
      additions,
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (added, k, nth) => {
        const scores = new Float32Array(itemCount);
        for (const [item, amount] of added) {
          scores[item]! += amount;
          sheet.add(item, amount);
        }
        const allowed = nth === 1 ? undefined : (item: number) => item % nth === 0;
        expect(sheet.all()).toEqual(scores);
        expect(sheet.best(k, allowed)).toEqual(topK(scores, k, allowed, 0));
        sheet.clear();
        expect(sheet.all()).toEqual(new Float32Array(itemCount));
        expect(sheet.best(k).indices).toHaveLength(0);
      },
    ),
  );
});

test('a sheet takes all items, however many', () => {
  const many = 5000;
  const [first, second] = scoreSheets(many, 2);
  const scores = Float32Array.from({ length: many }, (_, item) => ((item * 7919) % many) + 1);
  for (const [item, score] of scores.entries()) {
    first?.add(item, score);
    second?.add(item, -score);
  }
  expect(first?.all()).toEqual(scores);
  expect(first?.best(700)).toEqual(topK(scores, 700, undefined, 0));
  expect(second?.best(700).indices).toHaveLength(0);
});
