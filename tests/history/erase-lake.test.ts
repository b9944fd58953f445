/** Erasing from the lake: who it is goes, everybody else stays, and nobody who reads notices. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { CustomerId, SessionId } from '../../src/domain/ids.ts';
import {
  countErasable,
  type ErasedSubject,
  eraseFromLake,
  linkedIds,
  removeSuperseded,
  withLaterRows,
} from '../../src/history/erase-lake.ts';
import { importFiles } from '../../src/history/import/import-files.ts';
import { type Lake, listParts, openLake } from '../../src/history/lake.ts';
import { nextGeneration, partsToRead, supersededParts } from '../../src/history/part-names.ts';
import { lastIdInLake, removeLeftovers } from '../../src/history/stream-parts.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { openErasureFiles } from '../../src/infra/erasure-files.ts';
import { testLake } from '../support/lake.ts';

const until = Date.UTC(2026, 4, 1);
const anna = 'anna' as CustomerId;
const erased: ErasedSubject = { customerId: anna, sessionIds: [], until };
const unlocked = <T>(work: () => Promise<T>) => work();
const visit = (
  n: number,
  whose: { customerId?: string; sessionId?: string },
  occurredAt = until - 1000 - n,
) => ({ type: 'visit', eventId: `e${n}`, channel: 'web', occurredAt, ...whose }) as unknown as ShopEvent;

/** Parts of three events each, all in the stream after the erasure was asked for. */
async function fill(lake: Lake, events: readonly ShopEvent[]): Promise<void> {
  for (let p = 0; p * 3 < events.length; p++)
    await writeEntries(lake, `stream-${until + 10 * p + 1}-0-${until + 10 * p + 9}-0`, {
      events: events.slice(p * 3, p * 3 + 3),
      catalogue: [],
      decisions: [],
    });
}

async function idsIn(lake: Lake): Promise<string[]> {
  const read = await lake.connection.runAndReadAll(
    `SELECT coalesce("customerId", "sessionId") || ' ' || "eventId" FROM ${lake.from('events')} ORDER BY 1`,
  );
  return read.getRows().map(([id]) => String(id));
}

test('a generation takes the place of the one before it', () => {
  const parts = [
    'stream-1-0-5-0.parquet',
    'stream-1-0-5-0.g1.parquet',
    'import-1.parquet',
    'import-1.g2.parquet',
  ];
  expect(partsToRead(parts)).toEqual(['import-1.g2.parquet', 'stream-1-0-5-0.g1.parquet']);
  expect(supersededParts(parts)).toEqual(['stream-1-0-5-0.parquet', 'import-1.parquet']);
  expect(nextGeneration('stream-1-0-5-0.g1.parquet')).toBe('stream-1-0-5-0.g2');
  expect(partsToRead([...parts, 'stream-1-0-9-0.parquet'])).toEqual([
    'import-1.g2.parquet',
    'stream-1-0-9-0.parquet',
  ]);
});

test("the customer's rows until the erasure go, with those of the sessions the customer was known in; later ones stay", async () => {
  const lake = await testLake();
  await fill(lake, [
    visit(1, { customerId: 'anna', sessionId: 's1' }),
    visit(2, { customerId: 'bert', sessionId: 's2' }),
    visit(3, { sessionId: 's1' }),
    visit(4, { sessionId: 's2' }),
    visit(5, { customerId: 'anna' }, until + 1),
    visit(6, { customerId: 'bert' }),
    visit(7, { customerId: 'bert' }),
  ]);
  const { sessionIds } = await linkedIds(lake, erased);
  expect(sessionIds).toEqual(['s1']);
  const whole = { ...erased, sessionIds };
  expect(await countErasable(lake, [whole])).toEqual({ events: 2, decisions: 0, merges: 0 });
  expect(await eraseFromLake(lake, [whole], unlocked)).toEqual({ events: 2, decisions: 0, merges: 0 });
  expect(await countErasable(lake, [whole])).toEqual({ events: 0, decisions: 0, merges: 0 });
  expect(await idsIn(lake)).toEqual(['anna e5', 'bert e2', 'bert e6', 'bert e7', 's2 e4']);
  expect(
    await withLaterRows(lake, [whole, { ...whole, customerId: 'of-nobody' as typeof whole.customerId }]),
  ).toEqual([whole.customerId]);
  // Again, or after a kill: nothing more to do. One part of three was written anew.
  expect(await eraseFromLake(lake, [whole], unlocked)).toEqual({ events: 0, decisions: 0, merges: 0 });
  expect((await listParts(lake, 'events')).filter((file) => file.includes('.g1.'))).toHaveLength(1);
  expect(await lastIdInLake(lake)).toBe(`${until + 29}-0`);
  expect(await removeLeftovers(lake)).toBe(0);
  expect(await removeSuperseded(lake, undefined, 0)).toBe(0);
  expect(await removeSuperseded(lake, undefined, Date.now() + 1000)).toBe(1);
  expect(await idsIn(lake)).toHaveLength(5);
});

test('whoever reads meanwhile reads every row of the others, at every moment', async () => {
  const lake = await testLake();
  const customers = Array.from({ length: 6 }, (_, c) => `c${c}`);
  await fill(
    lake,
    Array.from({ length: 90 }, (_, n) =>
      visit(n, { customerId: n % 3 === 0 ? 'bert' : (customers[n % 6] ?? '') }),
    ),
  );
  let erasing = true;
  const reading = (async () => {
    const counts = new Set<number>();
    while (erasing) {
      const read = await lake.connection.runAndReadAll(
        `SELECT count(*)::INTEGER FROM ${lake.from('events')} WHERE "customerId" = 'bert'`,
      );
      counts.add(Number(read.value(0, 0)));
    }
    return counts;
  })();
  for (const customerId of customers)
    await eraseFromLake(
      lake,
      [{ customerId: customerId as CustomerId, sessionIds: [] as SessionId[], until }],
      unlocked,
    );
  erasing = false;
  expect([...(await reading)]).toEqual([30]);
  expect((await idsIn(lake)).every((id) => id.startsWith('bert '))).toBe(true);
});

test('an old export does not bring the customer back', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-erased-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const files = await openErasureFiles(dataDir);
  await files.request(anna, until);
  const at = (ms: number) => new Date(ms).toISOString();
  const events = [
    { type: 'visit', eventId: 'old', customerId: 'anna', occurredAt: at(until - 1) },
    { type: 'visit', eventId: 'new', customerId: 'anna', occurredAt: at(until + 1) },
    { type: 'visit', eventId: 'other', customerId: 'bert', occurredAt: at(until - 1) },
  ];
  await mkdir(join(dataDir, 'in'));
  const own = join(dataDir, 'in', 'events.ndjson');
  await writeFile(own, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const orders = join(dataDir, 'in', 'orders.csv');
  await writeFile(
    orders,
    `customer_id,order_id,item_id,occurredAt,quantity,unit_price\nanna,1,tea,${at(until - 1)},1,2\nbert,2,tea,${at(until - 1)},1,2\n`,
  );
  const options = { dataDir, currency: 'EUR', now: until + 10_000 };
  expect(await importFiles({ ...options, preset: 'nextbest', paths: [own] })).toMatchObject({
    accepted: 2,
    rejected: { erased: 1 },
  });
  const report = await importFiles({ ...options, preset: 'generic', paths: [orders] });
  expect(report).toMatchObject({ accepted: 1, rejected: { erased: 1 } });
  const lake = await openLake(dataDir, { threads: 1, memoryMb: 256 });
  onTestFinished(() => lake.close());
  expect((await idsIn(lake)).map((id) => id.split(' ')[0])).toEqual(['anna', 'bert', 'bert']);
});
