import { expect, test } from 'vitest';
import { dayMs } from '../../../src/domain/time.ts';
import { looksBefore } from '../../../src/train/churn/moments.ts';

const inDays = (from: number, end: number, horizon: number) =>
  looksBefore(from * dayMs, end * dayMs, horizon * dayMs).map(({ at, horizonMs }) => ({
    at: at / dayMs,
    horizon: horizonMs / dayMs,
  }));

test('every look ends by the end, begins after the log does, and is a whole number of days', () => {
  for (const [end, horizon] of [
    [400, 30],
    [273, 273],
    [365, 364],
    [30, 200],
    [90, 7],
  ] as const) {
    const looks = inDays(0, end, horizon);
    expect(looks.length).toBeGreaterThan(0);
    for (const look of looks) {
      expect(look.at + look.horizon).toBeLessThanOrEqual(end);
      expect(look.at).toBeGreaterThan(0);
      expect(Number.isInteger(look.horizon)).toBe(true);
    }
    expect(looks.map(({ at }) => at)).toEqual(looks.map(({ at }) => at).toSorted((a, b) => a - b));
  }
});

test('a horizon that fits is among them, the last time it fits', () => {
  expect(inDays(0, 400, 30)).toContainEqual({ at: 400 - 30, horizon: 30 });
});

test('for a horizon as long as the log, half of it is looked at from half of it: the same shape', () => {
  const looks = inDays(0, 280, 280);
  expect(looks).toContainEqual({ at: 140, horizon: 140 });
  expect(Math.max(...looks.map(({ horizon }) => horizon))).toBe(140);
});

test('as much past, in horizons, as there will be, or nearly', () => {
  for (const [end, horizon] of [
    [400, 30],
    [273, 273],
    [365, 120],
  ] as const)
    for (const look of inDays(0, end, horizon)) {
      const shape = look.at / look.horizon / (end / horizon);
      expect(shape).toBeGreaterThanOrEqual(0.6);
      expect(shape).toBeLessThanOrEqual(1.7);
    }
});

test('a log of a day has no looks', () => {
  expect(inDays(0, 1, 30)).toEqual([]);
  expect(inDays(5, 5, 30)).toEqual([]);
});
