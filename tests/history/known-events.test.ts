import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { eventsInLake } from '../../src/history/known-events.ts';
import { streamPartName } from '../../src/history/part-names.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';

function visit(eventId: string, subject: Partial<ShopEvent>, occurredAt = 1) {
  return { event: { type: 'visit', eventId, occurredAt, channel: 'web', ...subject } as ShopEvent };
}
const anna = { customerId: 'anna' } as Partial<ShopEvent>;
const guest = { sessionId: 's1' } as Partial<ShopEvent>;

test('an event is known by subject and id, whatever its time and however many lines it has', async () => {
  const lake = await testLake();
  const line = { itemId: 'tea', quantity: 1 };
  const events = [
    { ...visit('order', anna).event, type: 'purchase', lines: [line, line] },
    { ...visit('a', { ...anna, ...guest } as Partial<ShopEvent>).event },
    visit('g', guest).event,
  ] as ShopEvent[];
  await writeEntries(lake, 'import-1', { events, catalogue: [], decisions: [] });
  const asked = [
    visit('order', anna, 99),
    visit('a', anna),
    visit('g', guest),
    visit('order', { customerId: 'bert' } as Partial<ShopEvent>),
    // A customer's event is not that of the session in which it happened.
    visit('a', guest),
    visit('new', anna),
  ];
  expect([...(await eventsInLake(lake, asked, '5-0'))]).toEqual(asked.slice(0, 3));
});

test('an empty lake knows nothing, and parts that reach the given id are not looked into', async () => {
  const lake = await testLake();
  const asked = [visit('a', anna), visit('b', anna)];
  expect((await eventsInLake(lake, asked, '5-0')).size).toBe(0);
  const write = (name: string, { event }: { event: ShopEvent }) =>
    writeEntries(lake, name, { events: [event], catalogue: [], decisions: [] });
  await write(streamPartName('1-0', '4-9'), asked[0]!);
  await write(streamPartName('5-0', '7-0'), asked[1]!);
  expect([...(await eventsInLake(lake, asked, '5-0'))]).toEqual([asked[0]]);
});
