/** docs/insights.md defines every figure and every group, with the interval that the figure has. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { DIMENSIONS } from '../../src/insights/dimensions.ts';
import { INTERVALS } from '../../src/insights/figures.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/insights.md'), 'utf8');
const rowsOf = (heading: string) =>
  (page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    // The head of the table of groups.
    .filter(([first]) => first !== 'by');

test('every figure, and its interval', () => {
  const written = { wilson: 'Wilson', normal: 'normal', adjustedWald: 'adjusted Wald' };
  expect(rowsOf('The figures').map((cells) => [cells[0], cells.at(-1)])).toEqual(
    Object.entries(INTERVALS).map(([figure, interval]) => [figure, written[interval]]),
  );
});

test('everything that customers are told apart by', () => {
  expect(rowsOf('By what customers are told apart').map(([by]) => by)).toEqual([...DIMENSIONS]);
});
