import { expect, test } from 'vitest';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import { findDecisions, findOutcomes } from '../../src/history/find-decision.ts';
import { partsToRead } from '../../src/history/part-names.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';
import { noon } from '../support/offers.ts';

const none = { events: [], catalogue: [], decisions: [] };
const decisionAt = (at: number, customerId = 'anna') => {
  const decisionId = newDecisionId(at);
  return { decisionId, customerId, channel: 'web', decidedAt: new Date(at).toISOString() } as never as {
    decisionId: string;
    decidedAt: string;
  };
};
const partOf = (at: number) => `stream-${at}-0-${at + 1000}-0`;

test('a decision is found by its id alone, in a part of its time or in one that was imported', async () => {
  const lake = await testLake();
  const [streamed, imported, absent] = [noon, noon - 90 * dayMs, noon - 40 * dayMs].map((at) =>
    decisionAt(at),
  );
  await writeEntries(lake, partOf(noon), {
    ...none,
    decisions: [streamed as never, decisionAt(noon) as never],
  });
  await writeEntries(lake, 'import-abc', { ...none, decisions: [imported as never] });
  const find = async (...wanted: { decisionId: string; decidedAt: string }[]) =>
    findDecisions(
      lake,
      lake.connection,
      wanted.map(({ decisionId, decidedAt }) => ({ decisionId, decidedAt: Date.parse(decidedAt) })),
    );
  expect(await find(streamed!)).toEqual([streamed]);
  expect(await find(imported!)).toEqual([imported]);
  expect(await find(absent!)).toEqual([]);
  expect(await find()).toEqual([]);
  const all = await find(imported!, absent!, streamed!);
  expect(all).toHaveLength(2);
  expect(all).toEqual(expect.arrayContaining([streamed, imported]));
});

test('parts of another time are not even opened', () => {
  const files = [partOf(noon - 30 * dayMs), partOf(noon), partOf(noon + 30 * dayMs), 'import-abc'].map(
    (name) => `${name}.parquet`,
  );
  const within = { streamFrom: noon - dayMs, streamTo: noon + dayMs };
  expect(partsToRead(files, within)).toEqual([files[3], files[1]]);
  expect(partsToRead(files, { streamFrom: noon - dayMs })).toEqual([files[3], files[1], files[2]]);
});

test('the outcomes of a decision are those of its customer that name it, each once, oldest first', async () => {
  const lake = await testLake();
  const decision = decisionAt(noon);
  const outcome = (eventId: string, days: number, more: object = {}) =>
    ({
      type: 'offerOutcome',
      eventId,
      customerId: 'anna',
      channel: 'email',
      occurredAt: noon + days * dayMs,
      decisionId: decision.decisionId,
      offerId: 'ten',
      outcome: 'viewed',
      ...more,
    }) as ShopEvent;
  const events = [
    outcome('b', 2, { outcome: 'redeemed', valueMinor: 1200 }),
    outcome('a', 1),
    outcome('other decision', 1, { decisionId: 'd' }),
    outcome('other customer', 1, { customerId: 'bert' }),
  ];
  await writeEntries(lake, partOf(noon + 3 * dayMs), { ...none, events });
  await writeEntries(lake, partOf(noon + 4 * dayMs), { ...none, events: [outcome('a', 1)] });
  const asked = { decisionId: decision.decisionId, decidedAt: noon, customerId: 'anna' };
  expect(await findOutcomes(lake, lake.connection, asked)).toEqual([
    { eventId: 'a', offerId: 'ten', outcome: 'viewed', at: noon + dayMs },
    { eventId: 'b', offerId: 'ten', outcome: 'redeemed', at: noon + 2 * dayMs, valueMinor: 1200 },
  ]);
});
