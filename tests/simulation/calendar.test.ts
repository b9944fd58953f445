import { describe, expect, test } from 'vitest';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { createCalendar } from '../../src/simulation/calendar.ts';
import { optionsOf } from './in-memory.ts';

const year = createCalendar(optionsOf({ days: 365, end: '2026-12-31' }));
const dayOf = (date: string) => (Date.parse(`${date}T00:00:00Z`) - year.startAt) / dayMs;

test('the span ends with the last moment of its last day', () => {
  expect(new Date(year.startAt).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  expect(new Date(year.endAt).toISOString()).toBe('2027-01-01T00:00:00.000Z');
  expect(year.dateTexts).toHaveLength(365);
  expect(year.dateTexts[dayOf('2026-03-09')]).toBe('2026-03-09T');
  expect(year.months[dayOf('2026-03-09')]).toBe(2);
});

test('a year is about as long in shopping as in days, so that yearly rates mean what they say', () => {
  const total = year.loads.reduce((sum, load) => sum + load, 0);
  expect(total / 365).toBeGreaterThan(0.95);
  expect(total / 365).toBeLessThan(1.1);
});

test('sales are late November, January and July', () => {
  expect(
    [dayOf('2026-11-27'), dayOf('2026-01-10'), dayOf('2026-07-05')].map((day) => year.sales[day]),
  ).toEqual([1, 1, 1]);
  expect([dayOf('2026-11-15'), dayOf('2026-03-01')].map((day) => year.sales[day])).toEqual([0, 0]);
});

describe('after', () => {
  test('passes as much shopping as it was asked to: a day’s load takes from midnight to midnight', () => {
    const from = year.startAt + 100 * dayMs;
    // Rounded down to the millisecond.
    expect(Math.abs(year.after(from, year.loads[100]!) - (from + dayMs))).toBeLessThanOrEqual(1);
    const week = year.loads.subarray(100, 107).reduce((sum, load) => sum + load, 0);
    expect(Math.abs(year.after(from, week) - (from + 7 * dayMs))).toBeLessThanOrEqual(1);
  });

  test('two steps are as far as one of their sum', () => {
    const from = year.startAt + 40.3 * dayMs;
    const twice = year.after(year.after(from, 1.7), 2.1);
    expect(Math.abs(twice - year.after(from, 3.8))).toBeLessThanOrEqual(2);
  });

  test('never stops in the hours when nobody shops', () => {
    for (let step = 0; step < 500; step++) {
      const at = year.after(year.startAt, step * 0.05);
      const hour = Math.floor((at % dayMs) / hourMs);
      expect([2, 3, 4]).not.toContain(hour);
    }
  });

  test('past the end there is nothing', () => {
    expect(year.after(year.endAt - hourMs, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('atShare runs from the start to the end', () => {
  expect(year.atShare(0)).toBe(year.startAt);
  expect(year.endAt - year.atShare(0.999999)).toBeLessThan(dayMs);
  expect(year.atShare(0.5)).toBeGreaterThan(year.atShare(0.49));
});
