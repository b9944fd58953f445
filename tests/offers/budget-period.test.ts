import { expect, test } from 'vitest';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import {
  type BudgetTerms,
  budgetPeriod,
  burnRate,
  pacedLimits,
  periodNamed,
} from '../../src/offers/budget-period.ts';

const terms = (fields: Partial<BudgetTerms>): BudgetTerms => ({ period: 'day', pacing: 'none', ...fields });
const at = Date.parse;

test('days, weeks and months begin at midnight UTC, weeks on a Monday', () => {
  const nameAt = (period: BudgetTerms['period'], now: string) =>
    budgetPeriod(terms({ period }), {}, at(now)).name;
  expect(nameAt('day', '2026-11-25T23:59:59.999Z')).toBe('day:2026-11-25');
  expect(nameAt('day', '2026-11-26T00:00:00Z')).toBe('day:2026-11-26');
  // The 23rd of November 2026 is a Monday.
  expect(nameAt('week', '2026-11-22T23:59:59.999Z')).toBe('week:2026-11-16');
  expect(nameAt('week', '2026-11-23T00:00:00Z')).toBe('week:2026-11-23');
  expect(nameAt('week', '2026-11-29T23:59:59.999Z')).toBe('week:2026-11-23');
  expect(nameAt('week', '1970-01-01T00:00:00Z')).toBe('week:1969-12-29');
  expect(nameAt('month', '2026-12-31T23:59:59.999Z')).toBe('month:2026-12-01');
  expect(budgetPeriod(terms({ period: 'month' }), {}, at('2026-12-31T12:00:00Z')).endsAt).toBe(
    at('2027-01-01T00:00:00Z'),
  );
});

test('every instant lies in its period, and periods follow each other without a gap', () => {
  for (const period of ['day', 'week', 'month'] as const)
    for (let now = at('2026-01-01T00:00:00Z'); now < at('2028-03-02T00:00:00Z'); now += 11 * hourMs) {
      const { startsAt, endsAt } = budgetPeriod(terms({ period }), {}, now);
      expect(startsAt <= now && now < endsAt).toBe(true);
      expect(budgetPeriod(terms({ period }), {}, endsAt).startsAt).toBe(endsAt);
    }
});

test('the total lasts as long as the offer', () => {
  const of = (validity: { validFrom?: number; validTo?: number }) =>
    budgetPeriod(terms({ period: 'total' }), validity, 5);
  expect(of({ validFrom: 1, validTo: 9 })).toEqual({ name: 'total', startsAt: 1, endsAt: 9 });
  expect(of({})).toEqual({ name: 'total', startsAt: -Infinity, endsAt: Infinity });
});

test('a period is found by its name, and what no period is called is none', () => {
  const validity = { validFrom: 1, validTo: 10 };
  for (const period of ['total', 'day', 'week', 'month'] as const) {
    const found = budgetPeriod(terms({ period }), validity, at('2026-11-25T13:00:00Z'));
    expect(periodNamed(found.name, validity)).toEqual(found);
  }
  // A Tuesday, and no first of a month.
  for (const name of ['', 'year:2026-01-01', 'week:2026-11-24', 'month:2026-11-24', 'day:2026-13-01', 'day'])
    expect(periodNamed(name, validity)).toBeUndefined();
});

test('an even pace gives the share of the period that has passed, rounded down', () => {
  const even = terms({ amountMinor: 1000, count: 9, pacing: 'even' });
  const day = budgetPeriod(even, {}, 100 * dayMs);
  // 6 of 24 hours: a quarter of 1000, and of 9.
  expect(pacedLimits(even, day, 100 * dayMs + 6 * hourMs)).toEqual({ amountMinor: 250, count: 2 });
  expect(pacedLimits(even, day, day.startsAt)).toEqual({ amountMinor: 0, count: 0 });
  expect(pacedLimits(even, day, day.endsAt + 1)).toEqual({ amountMinor: 1000, count: 9 });
});

test('without pacing, or without both ends of the period, all of the budget may be out', () => {
  const none = terms({ amountMinor: 1000 });
  expect(pacedLimits(none, budgetPeriod(none, {}, 0), 0)).toEqual({ amountMinor: 1000, count: Infinity });
  const open = terms({ count: 9, period: 'total', pacing: 'even' });
  expect(pacedLimits(open, budgetPeriod(open, { validFrom: 0 }, 1), 1)).toEqual({
    amountMinor: Infinity,
    count: 9,
  });
});

test('a budget burns at the share used over the share of the period passed', () => {
  const day = { name: 'day', startsAt: 0, endsAt: dayMs };
  const burn = (used: { amountMinor: number; count: number }, now: number, period = day) =>
    burnRate(terms({ amountMinor: 1000, count: 10 }), period, used, now);
  expect(burn({ amountMinor: 250, count: 0 }, dayMs / 4)).toBe(1);
  expect(burn({ amountMinor: 250, count: 0 }, dayMs / 2)).toBe(0.5);
  // The limit that will be met first counts.
  expect(burn({ amountMinor: 250, count: 10 }, dayMs / 2)).toBe(2);
  // Just after midnight.
  expect(burn({ amountMinor: 100, count: 0 }, 1)).toBeCloseTo(2);
  expect(burn({ amountMinor: 0, count: 0 }, 0)).toBe(0);
  expect(burn({ amountMinor: 900, count: 0 }, 1, { ...day, endsAt: Infinity })).toBe(0);
  expect(burnRate(terms({ amountMinor: 0 }), day, { amountMinor: 0, count: 0 }, 5)).toBe(0);
});
