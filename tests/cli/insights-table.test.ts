import { expect, test } from 'vitest';
import { retentionTable } from '../../src/cli/insights-table.ts';
import type { Figures } from '../../src/insights/figures.ts';

const none = { customers: 0, value: null, low: null, high: null };
const figures: Figures = {
  customers: 4,
  buyers: 3,
  revenueMinor: 1234,
  repeatPurchaseRate: { customers: 3, value: 0.5, low: 0.25, high: 0.75 },
  retentionRate: none,
  churnRate: none,
  purchaseFrequency: { customers: 1, value: 1, low: null, high: null },
  revenuePerBuyerMinor: none,
  lifetimeValueMinor: { customers: 4, value: 100, low: 50, high: 150 },
  csat: none,
  meanRating: none,
  nps: { customers: 4, value: -0.2, low: -9.6, high: 9.6 },
};
const retention = {
  period: { from: '2026-03-01', to: '2026-03-31', days: 31 },
  previousPeriod: { from: '2026-01-29', to: '2026-02-28' },
  intervals: {},
  total: figures,
  groups: [],
  comparisons: [],
  cohorts: [],
  warnings: [],
};

test('shares, means and money, a dash for what nobody can tell, in the currency’s own decimals', () => {
  const cells = (currency: string) =>
    retentionTable(retention, currency)
      .split('\n')
      .find((row) => row.startsWith('all'))
      ?.split(/ {2,}/);
  const rest = ['50.0 % (25.0 % … 75.0 %)', '–', '1.00'];
  expect(cells('EUR')).toEqual([
    'all',
    '4',
    '3',
    '€12.34',
    ...rest,
    '€1.00 (€0.50 … €1.50)',
    '–',
    '0 (-10 … 10)',
  ]);
  expect(cells('JPY')).toEqual([
    'all',
    '4',
    '3',
    '¥1,234',
    ...rest,
    '¥100 (¥50 … ¥150)',
    '–',
    '0 (-10 … 10)',
  ]);
});

test('what is not known is said, and why', () => {
  const table = retentionTable({ ...retention, warnings: ['churnRate is not known: too short.'] }, 'EUR');
  expect(table.split('\n').at(-1)).toBe('! churnRate is not known: too short.');
});

test('a segment’s name steers no terminal and pushes no column out of sight', () => {
  const group = { by: 'segment' as const, key: `\u001b[2Jred\n${'x'.repeat(100)}`, ...figures };
  const table = retentionTable({ ...retention, groups: [group] }, 'EUR');
  expect(table).not.toContain('\u001b');
  expect(table).toContain('?[2Jred?x');
  expect(table).not.toContain('x'.repeat(31));
});

test('a cohort of a month that the period cuts says since when', () => {
  const cohort = (name: string) => ({ cohort: name, customers: 3, months: [] });
  const rows = (from: string) =>
    retentionTable(
      {
        ...retention,
        period: { from, to: '2026-04-30', days: 31 },
        cohorts: [cohort('2026-03'), cohort('2026-04')],
      },
      'EUR',
    ).split('\n');
  expect(rows('2026-03-15').filter((row) => /^2026-03 since 15 +3$/.test(row))).toHaveLength(2);
  expect(rows('2026-03-01').filter((row) => /^2026-0[34] +3$/.test(row))).toHaveLength(4);
});
