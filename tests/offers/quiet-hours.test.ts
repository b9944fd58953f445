import { describe, expect, test } from 'vitest';
import { compileQuietHours } from '../../src/offers/quiet-hours.ts';

const night = { channels: ['phone' as const], from: '21:00', to: '08:00' };
const at = (instant: string) => Date.parse(instant);

test('from the first minute until the last, over midnight, and only on the channels that are named', () => {
  const isQuiet = compileQuietHours({ quietHours: [night], timeZone: 'UTC' });
  const quiet = (time: string) => isQuiet('phone', undefined, at(`2026-06-15T${time}Z`));
  expect(['20:59:59.999', '21:00:00', '23:59:59', '00:00:00', '07:59:59.999', '08:00:00'].map(quiet)).toEqual(
    [false, true, true, true, true, false],
  );
  expect(isQuiet('email', undefined, at('2026-06-15T23:00:00Z'))).toBe(false);
});

test('within one day', () => {
  const noonRest = { channels: ['phone' as const], from: '12:00', to: '14:30' };
  const isQuiet = compileQuietHours({ quietHours: [noonRest], timeZone: 'UTC' });
  const quiet = (time: string) => isQuiet('phone', undefined, at(`2026-06-15T${time}Z`));
  expect(['11:59:59', '12:00:00', '14:29:59', '14:30:00'].map(quiet)).toEqual([false, true, true, false]);
});

test("the customer's own clock counts; the policy's where her zone is not known, to anybody or to this machine", () => {
  const isQuiet = compileQuietHours({ quietHours: [night], timeZone: 'Europe/Berlin' });
  const instant = at('2026-06-15T19:30:00Z');
  // 21:30 in Berlin, 15:30 in New York.
  expect(isQuiet('phone', undefined, instant)).toBe(true);
  expect(isQuiet('phone', 'Mars/Olympus', instant)).toBe(true);
  expect(isQuiet('phone', 'America/New_York', instant)).toBe(false);
});

describe('on the nights on which the clocks change', () => {
  const isQuiet = compileQuietHours({ quietHours: [night], timeZone: 'Europe/Berlin' });
  const quiet = (instant: string) => isQuiet('phone', undefined, at(instant));

  test('in spring the morning comes an hour sooner', () => {
    expect([quiet('2026-03-28T06:59:59Z'), quiet('2026-03-28T07:00:00Z')]).toEqual([true, false]);
    expect([quiet('2026-03-29T05:59:59Z'), quiet('2026-03-29T06:00:00Z')]).toEqual([true, false]);
  });

  test('in autumn it comes an hour later', () => {
    expect([quiet('2026-10-24T05:59:59Z'), quiet('2026-10-24T06:00:00Z')]).toEqual([true, false]);
    expect([quiet('2026-10-25T06:59:59Z'), quiet('2026-10-25T07:00:00Z')]).toEqual([true, false]);
  });

  test('hours that come twice are quiet twice, hours that are left out are not', () => {
    const small = { channels: ['phone' as const], from: '02:15', to: '02:45' };
    const isSmall = compileQuietHours({ quietHours: [small], timeZone: 'Europe/Berlin' });
    const quietMinutes = (from: string) =>
      Array.from({ length: 180 }, (_, minute) => at(from) + minute * 60_000).filter((instant) =>
        isSmall('phone', undefined, instant),
      ).length;
    expect(quietMinutes('2026-10-24T23:00:00Z')).toBe(60);
    expect(quietMinutes('2026-03-29T00:00:00Z')).toBe(0);
    expect(quietMinutes('2026-03-28T00:00:00Z')).toBe(30);
  });
});
