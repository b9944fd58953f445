import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventToRows, rowsToEvent } from '../../src/history/lake-rows.ts';
import { shopEvent } from '../support/events.ts';

test('rows give back exactly the event that they were made of', () => {
  fc.assert(
    fc.property(fc.oneof(shopEvent(fc.constant('anna')), shopEvent()), (event) => {
      expect(rowsToEvent(eventToRows(event))).toStrictEqual(event);
    }),
    { numRuns: 500 },
  );
});

test('one row a line, numbered from 0; one row where there are no lines', () => {
  const common = { eventId: 'e', customerId: 'anna', channel: 'web', occurredAt: 0 };
  const lines = [
    { itemId: 'a', quantity: 1 },
    { itemId: 'b', quantity: 2, discountMinor: 5 },
  ];
  const rows = eventToRows({ ...common, type: 'view', lines } as never);
  expect(rows.map(({ line, itemId, discountMinor }) => [line, itemId, discountMinor])).toEqual([
    [0, 'a', null],
    [1, 'b', 5],
  ]);
  const [row, ...more] = eventToRows({ ...common, type: 'delivery', late: true, orderId: 'o' } as never);
  expect([row?.line, row?.itemId, row?.orderId, row?.detail]).toEqual([0, null, 'o', '{"late":true}']);
  expect(more).toEqual([]);
});
