import { expect, test } from 'vitest';
import { compareEventOrder } from '../../src/features/event-order.ts';

const at = (occurredAt: number, eventId: string) => ({ occurredAt, eventId });

test('time decides before the id', () => {
  expect(compareEventOrder(at(1, 'b'), at(2, 'a'))).toBeLessThan(0);
});

test('at the same time ids compare by their UTF-8 bytes, where UTF-16 units would say otherwise', () => {
  // U+FFEE is EF BF AE, U+1F600 is F0 9F 98 80; as UTF-16 they begin with FFEE and D83D.
  expect('\uffee' < '😀').toBe(false);
  expect(compareEventOrder(at(1, '\uffee'), at(1, '😀'))).toBeLessThan(0);
});

test('the same event is neither before nor after itself', () => {
  expect(compareEventOrder(at(1, 'a'), at(1, 'a'))).toBe(0);
});
