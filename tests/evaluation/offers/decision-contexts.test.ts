import { expect, test } from 'vitest';
import { contextsOf } from '../../../src/evaluation/offers/decision-contexts.ts';
import type { DecisionLog } from '../../../src/evaluation/offers/read-decisions.ts';

/** A log of 120 rows, alternately contacted, with these columns. */
function logWith(columns: Record<string, (row: number) => string>): DecisionLog {
  const rows = 120;
  return {
    rows,
    customer: Int32Array.from({ length: rows }, (_, row) => row),
    customers: Array.from({ length: rows }, (_, row) => `c${row}`),
    arm: Int32Array.from({ length: rows }, (_, row) => (row % 2) - 1),
    offers: ['spring'],
    propensity: new Float64Array(rows).fill(0.5),
    reward: new Float64Array(rows),
    others: Object.entries(columns).map(([name, value]) => {
      const levels: string[] = [];
      const code = Int32Array.from({ length: rows }, (_, row) => {
        const text = value(row);
        if (text === '') return -1;
        if (!levels.includes(text)) levels.push(text);
        return levels.indexOf(text);
      });
      return { name, code, levels };
    }),
  };
}

test('numbers as they are; where they are empty the median, and a column that says so', () => {
  const { names, values, dropped } = contextsOf(
    logWith({ age: (row) => (row === 0 ? '' : String(20 + (row % 3))) }),
  );
  expect(names).toEqual(['age', 'age=']);
  // 20, 21 and 22 are equally many but for row 0, which would be a 20.
  expect([...values.slice(0, 4)]).toEqual([21, 1, 21, 0]);
  expect(dropped).toEqual([]);
});

test('texts: a column for each common level; rare ones together have none; of two levels one is enough', () => {
  const { names, values } = contextsOf(
    logWith({
      city: (row) => (row < 60 ? 'Ulm' : row < 100 ? 'Graz' : `village ${row}`),
      member: (row) => (row < 70 ? 'yes' : 'no'),
    }),
  );
  expect(names).toEqual(['city=Ulm', 'city=Graz', 'member=yes']);
  expect([...values.slice(0, 3)]).toEqual([1, 0, 1]);
  expect([...values.slice(119 * 3)]).toEqual([0, 0, 0]);
});

test.each([
  ['constant', () => 'x', 'it is constant'],
  ['shopperId', (row: number) => `s${row}`, 'it is an id'],
  ['line', (row: number) => String(row), 'it is different in every row'],
  ['name', (row: number) => `Name ${row}`, 'it is different in almost every row'],
  ['seenAt', (row: number) => `2026-01-0${1 + (row % 7)}T10:00:00Z`, 'it is a time'],
  ['createdAt', (row: number) => String(1_700_000_000 + 60 * (row % 50)), 'it is a time'],
  ['treatment', (row: number) => (row % 2 === 0 ? 'Nothing' : 'E-mail'), 'which offer was chosen'],
])('%s is left out, and said so', (name, value, reason) => {
  const { names, dropped } = contextsOf(logWith({ [name]: value }));
  expect(names).toEqual([]);
  expect(dropped[0]?.column).toBe(name);
  expect(dropped[0]?.reason).toContain(reason);
});

test('money that differs in every row is no id', () => {
  expect(contextsOf(logWith({ spent: (row) => String(row + 0.37 * row) })).names).toEqual(['spent']);
});
