import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { type Lake, listParts, writePart } from '../../src/history/lake.ts';
import { streamPartName } from '../../src/history/part-names.ts';
import { lastIdInLake, mergeParts, removeLeftovers } from '../../src/history/stream-parts.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';

async function writeVisits(lake: Lake, name: string, eventId: string): Promise<void> {
  const event = { type: 'visit', eventId, customerId: 'anna', occurredAt: 1, channel: 'web' } as ShopEvent;
  await writeEntries(lake, name, { events: [event], catalogue: [], decisions: [] });
}

test('the last id is the greatest by number, and imports have none', async () => {
  const lake = await testLake();
  expect(await lastIdInLake(lake)).toBe('0-0');
  await writeVisits(lake, streamPartName('5-0', '9-1'), 'a');
  await writeVisits(lake, streamPartName('9-2', '10-0'), 'b');
  await writeVisits(lake, 'import-0123', 'c');
  expect(await lastIdInLake(lake)).toBe('10-0');
});

test('many parts become one that covers their ids, and imports stay as they are', async () => {
  const lake = await testLake();
  for (let p = 1; p <= 101; p++) await writeVisits(lake, streamPartName(`${p}-0`, `${p}-9`), `e${p}`);
  await writeVisits(lake, 'import-0123', 'imported');
  await mergeParts(lake);
  expect(await listParts(lake, 'events')).toEqual(['import-0123.parquet', 'stream-1-0-101-9.parquet']);
  const count = await lake.connection.runAndReadAll(
    `SELECT count(*)::INTEGER, count(DISTINCT "eventId")::INTEGER FROM ${lake.from('events')}`,
  );
  expect(count.getRows()).toEqual([[102, 102]]);
  expect(await lastIdInLake(lake)).toBe('101-9');
});

test('a few parts are left alone', async () => {
  const lake = await testLake();
  for (let p = 1; p <= 3; p++) await writeVisits(lake, streamPartName(`${p}-0`, `${p}-9`), `e${p}`);
  await mergeParts(lake);
  expect(await listParts(lake, 'events')).toHaveLength(3);
});

test('of two drains that did not know of each other, the part that holds less goes; so do half-written files', async () => {
  const lake = await testLake();
  await writeVisits(lake, streamPartName('5-0', '9-0'), 'a');
  await writeVisits(lake, streamPartName('5-0', '10-0'), 'a');
  await writeVisits(lake, streamPartName('10-1', '12-0'), 'b');
  await writeFile(join(lake.folder('events'), 'stream-13-0-14-0.parquet.77-1.tmp'), 'half');
  await writeFile(join(lake.folder('events'), 'import-0123.parquet.78-1.tmp'), 'of an import at work');
  expect(await removeLeftovers(lake)).toBe(2);
  expect((await readdir(lake.folder('events'))).sort()).toEqual([
    'import-0123.parquet.78-1.tmp',
    'stream-10-1-12-0.parquet',
    'stream-5-0-10-0.parquet',
  ]);
});

test('while old parts are being deleted after a merge, a reader sees each row once', async () => {
  const lake = await testLake();
  for (let p = 1; p <= 3; p++) await writeVisits(lake, streamPartName(`${p}-0`, `${p}-9`), `e${p}`);
  await writeVisits(lake, 'import-0123', 'imported');
  // As after a merge that was killed before it had deleted anything.
  const old = lake.from('events');
  await writePart(
    lake,
    'events',
    streamPartName('1-0', '3-9'),
    `SELECT * FROM ${lake.from('events', { streamBefore: '4-0' })} WHERE starts_with("eventId", 'e')`,
  );
  expect(await listParts(lake, 'events')).toHaveLength(5);
  const ids = async (from: string) =>
    (await lake.connection.runAndReadAll(`SELECT "eventId" FROM ${from} ORDER BY 1`)).getRows().flat();
  // Planned before the merged part appeared, and after.
  expect(await ids(old)).toEqual(['e1', 'e2', 'e3', 'imported']);
  expect(await ids(lake.from('events'))).toEqual(['e1', 'e2', 'e3', 'imported']);
  expect(await removeLeftovers(lake)).toBe(3);
  expect(await ids(lake.from('events'))).toEqual(['e1', 'e2', 'e3', 'imported']);
});
