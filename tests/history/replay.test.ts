import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { compareEventOrder } from '../../src/features/event-order.ts';
import type { Lake } from '../../src/history/lake.ts';
import { type ReplayRange, replayCustomers } from '../../src/history/replay.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { customerEvents, shopEvent, startMs } from '../support/events.ts';
import { testLake } from '../support/lake.ts';

async function replayed(lake: Lake, range: ReplayRange = {}): Promise<Map<string, ShopEvent[]>> {
  const customers = new Map<string, ShopEvent[]>();
  const count = await replayCustomers(lake, range, (customerId, events) => {
    expect(customers.has(customerId)).toBe(false);
    customers.set(customerId, events);
  });
  expect(customers.size).toBe(count);
  return customers;
}

const write = (lake: Lake, name: string, events: ShopEvent[]) =>
  writeEntries(lake, name, { events, catalogue: [], decisions: [] });

const sorted = (events: ShopEvent[]) => [...events].sort(compareEventOrder);

test('events come back as they were written, by customer, in the order of time and id; guests do not', async () => {
  const lake = await testLake();
  const [anna = [], bert = []] = [
    ...fc.sample(customerEvents('anna', 60), { numRuns: 1, seed: 3 }),
    ...fc.sample(customerEvents('\ufeffbert 😀', 60), { numRuns: 1, seed: 4 }),
  ];
  const guests = fc.sample(shopEvent(), { numRuns: 10, seed: 5 });
  const all = [...bert, ...guests, ...anna];
  await write(
    lake,
    'import-a',
    all.filter((_, e) => e % 2 === 0),
  );
  await write(
    lake,
    'import-b',
    all.filter((_, e) => e % 2 === 1),
  );
  const customers = await replayed(lake);
  expect(customers.size).toBe(2);
  expect(customers.get('anna')).toStrictEqual(sorted(anna));
  expect(customers.get('\ufeffbert 😀')).toStrictEqual(sorted(bert));
});

test('every value survives the lake, whatever is in it', async () => {
  await fc.assert(
    fc.asyncProperty(customerEvents('anna', 20), async (events) => {
      const lake = await testLake();
      await write(lake, 'import-a', events);
      expect((await replayed(lake)).get('anna')).toStrictEqual(sorted(events));
    }),
    { numRuns: 25 },
  );
});

test('an event that stands in two parts comes once', async () => {
  const lake = await testLake();
  const events = fc.sample(customerEvents('anna', 20), { numRuns: 1, seed: 9 })[0]!;
  await write(lake, 'import-a', events);
  await write(lake, 'import-b', events.slice(0, 5));
  expect((await replayed(lake)).get('anna')).toStrictEqual(sorted(events));
});

test('only before the cut-off, only the customers that are asked for', async () => {
  const lake = await testLake();
  const visit = (customerId: string, at: number): ShopEvent =>
    ({
      type: 'visit',
      eventId: `${customerId}${at}`,
      customerId,
      occurredAt: at,
      channel: 'web',
    }) as ShopEvent;
  await write(lake, 'import-a', [
    visit('anna', startMs),
    visit('anna', startMs + 1),
    visit('bert', startMs),
    visit("o'neil", startMs + 2),
  ]);
  const early = await replayed(lake, { before: startMs + 1 });
  expect([...early].map(([id, events]) => [id, events.length]).sort()).toEqual([
    ['anna', 1],
    ['bert', 1],
  ]);
  expect([...(await replayed(lake, { customerIds: ["o'neil", 'nobody'] })).keys()]).toEqual(["o'neil"]);
});

test('an empty lake has no customers', async () => {
  expect((await replayed(await testLake())).size).toBe(0);
});

test('the order of customers is the same every time', async () => {
  const lake = await testLake();
  const visits = Array.from(
    { length: 3000 },
    (_, c) =>
      ({
        type: 'visit',
        eventId: `e${c}`,
        customerId: `c${c % 700}`,
        occurredAt: startMs + c,
        channel: 'web',
      }) as ShopEvent,
  );
  await write(lake, 'import-a', visits);
  expect([...(await replayed(lake)).keys()]).toEqual([...(await replayed(lake)).keys()]);
});
