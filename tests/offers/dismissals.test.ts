import { expect, test } from 'vitest';
import { OfferId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import { suppressionAt } from '../../src/offers/dismissals.ts';

const policy = { times: 3, withinDays: 10, suppressDays: 20 };
const dismissed = (offerId: string, days: number) => ({
  offerId: OfferId.parse(offerId),
  outcome: 'dismissed' as const,
  at: days * dayMs,
});

test('an offer that was dismissed is suppressed for its days, and no other is', () => {
  const at = (days: number) => suppressionAt([dismissed('a', 1)], policy, days * dayMs);
  expect(at(1)('a')).toBe(true);
  expect(at(20.999)('a')).toBe(true);
  expect(at(21)('a')).toBe(false);
  expect(at(1)('b')).toBe(false);
});

test('after so many dismissals within the window every offer is, from the last of them on', () => {
  const answers = [dismissed('a', 1), dismissed('a', 5), dismissed('b', 10.999)];
  const other = (days: number, list = answers) => suppressionAt(list, policy, days * dayMs)('other');
  expect(other(11)).toBe(true);
  expect(other(30.998)).toBe(true);
  expect(other(31)).toBe(false);
  expect(other(6, answers.slice(0, 2))).toBe(false);
  expect(other(12, [...answers.slice(0, 2), dismissed('b', 11)])).toBe(false);
});

test('a redemption is no dismissal', () => {
  const redeemed = ['a', 'b', 'c'].map((offerId) => ({
    ...dismissed(offerId, 1),
    outcome: 'redeemed' as const,
  }));
  expect(suppressionAt(redeemed, policy, dayMs)('a')).toBe(false);
});

test('without days there is no suppression; a single dismissal may be enough for all', () => {
  expect(suppressionAt([dismissed('a', 1)], { ...policy, suppressDays: 0 }, dayMs)('a')).toBe(false);
  expect(suppressionAt([dismissed('a', 1)], { ...policy, times: 1 }, dayMs)('b')).toBe(true);
});
