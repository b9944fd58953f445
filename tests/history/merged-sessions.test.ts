/** Whose the sessions of guests are, as long as the lake has anything of theirs that does not say so itself. */
import { expect, test } from 'vitest';
import type { CustomerId, SessionId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import { eraseFromLake, linkedIds, removeSuperseded } from '../../src/history/erase-lake.ts';
import { type Lake, listParts } from '../../src/history/lake.ts';
import { attributeMerged } from '../../src/history/merged-sessions.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';
import { noon } from '../support/offers.ts';

const anna = 'anna' as CustomerId;
const later = Date.now() + 2 * dayMs;

const decisionFor = (sessionId: string) =>
  ({
    decisionId: `d-${sessionId}`,
    sessionId,
    channel: 'web',
    decidedAt: new Date(noon).toISOString(),
  }) as never;
const merge = (sessionId: string) =>
  ({ kind: 'merge', sessionId: sessionId as SessionId, customerId: anna, at: noon }) as const;

async function sessionsKnown(lake: Lake): Promise<string[]> {
  const read = await lake.connection.runAndReadAll(
    `SELECT "sessionId" FROM ${lake.from('merges')} ORDER BY 1`,
  );
  return read.getRows().map(([id]) => String(id));
}

test('a session that something was decided for stays the customer’s after the nights, and is erased with her', async () => {
  const lake = await testLake();
  const nothing = { events: [], catalogue: [] };
  await writeEntries(lake, 'stream-1-0-2-0', {
    ...nothing,
    decisions: [decisionFor('decided')],
    merges: [merge('decided'), merge('looked')],
  });
  await writeEntries(lake, 'stream-3-0-4-0', { ...nothing, decisions: [], merges: [merge('came')] });
  await attributeMerged(lake, Date.now());
  expect(await sessionsKnown(lake)).toEqual(['came', 'decided', 'looked']);
  await attributeMerged(lake, later);
  expect(await sessionsKnown(lake)).toEqual(['decided']);
  // Another night has nothing to write.
  const files = await listParts(lake, 'merges');
  await attributeMerged(lake, later);
  expect(await listParts(lake, 'merges')).toEqual(files);

  const erased = { customerId: anna, sessionIds: [], until: Date.now() };
  const { sessionIds, decisionIds } = await linkedIds(lake, erased);
  expect({ sessionIds, decisionIds }).toEqual({ sessionIds: ['decided'], decisionIds: ['d-decided'] });
  const unlocked = <T>(work: () => Promise<T>) => work();
  const gone = await eraseFromLake(lake, [{ ...erased, sessionIds }], unlocked);
  expect(gone).toEqual({ events: 0, decisions: 1, merges: 1 });
  // No generation from before comes back, also where the readers' time is not over yet.
  expect(await removeSuperseded(lake, undefined, 0)).toBe(0);
  await attributeMerged(lake, later);
  expect(await sessionsKnown(lake)).toEqual([]);
  expect(await listParts(lake, 'merges')).toEqual([]);
});

test('what a guest told and the customer told again is one event after the night; of another type it is two', async () => {
  const lake = await testLake();
  const bought = (who: object, more: object = {}) =>
    ({
      type: 'purchase',
      eventId: 'order-1',
      occurredAt: noon,
      channel: 'web',
      lines: [
        { itemId: 'tea', quantity: 1, unitPriceMinor: 500 },
        { itemId: 'cup', quantity: 1, unitPriceMinor: 700 },
      ],
      ...who,
      ...more,
    }) as never;
  const guest = { sessionId: 's' };
  await writeEntries(lake, 'stream-1-0-2-0', {
    events: [
      bought(guest),
      bought(guest, { eventId: 'order-2' }),
      bought({ sessionId: 'somebody' }),
      bought(guest, { type: 'visit', eventId: 'order-3', lines: [] }),
    ],
    catalogue: [],
    decisions: [],
    merges: [],
  });
  await writeEntries(lake, 'stream-3-0-4-0', {
    events: [bought({ customerId: anna }), bought({ customerId: anna }, { eventId: 'order-3' })],
    catalogue: [],
    decisions: [],
    merges: [merge('s')],
  });
  await attributeMerged(lake, later);
  const read = await lake.connection.runAndReadAll(
    `SELECT "customerId", "sessionId", "eventId", type, count(*)::INTEGER FROM ${lake.from('events')} GROUP BY ALL ORDER BY ALL`,
  );
  expect(read.getRows()).toEqual([
    [anna, 's', 'order-2', 'purchase', 2],
    [anna, 's', 'order-3', 'visit', 1],
    [anna, null, 'order-1', 'purchase', 2],
    [anna, null, 'order-3', 'purchase', 2],
    [null, 'somebody', 'order-1', 'purchase', 2],
  ]);
});
