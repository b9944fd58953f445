import { expect, test } from 'vitest';
import { dayOf, dayText } from '../../../src/evaluation/input/day.ts';

test('days in the ways in which logs write them', () => {
  expect(dayOf('1970-01-02')).toBe(1);
  // 27 years and 7 leap days (1972, 76, 80, 84, 88, 92, 96)
  const day = 27 * 365 + 7;
  for (const text of [
    '19970101',
    '1997-01-01',
    '1997/1/1',
    '1997.01.01',
    '1997-01-01 23:59:59',
    '1997-01-01T00:00:00Z',
  ])
    expect(dayOf(text), text).toBe(day);
  expect(dayText(day)).toBe('1997-01-01');
});

test('what is no day is not taken for one', () => {
  for (const text of [
    '',
    '1997',
    '1997-02-29',
    '19971301',
    '1997-1/1',
    '31.01.1997',
    '199701011',
    '0001 19970101',
  ])
    expect(dayOf(text), text).toBeNaN();
});
