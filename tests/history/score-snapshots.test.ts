import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  fromSnapshot,
  readSnapshot,
  SCORE_COLUMNS,
  type ScoreBatch,
  type ScoreRow,
  type SnapshotId,
  type SnapshotWriter,
  scoreBatch,
  writeSnapshot,
} from '../../src/history/score-snapshots.ts';
import { newModelVersion } from '../../src/infra/model-store.ts';
import { testLake } from '../support/lake.ts';

function rows(...customers: [customerId: string, risk: number | null][]): ScoreBatch {
  const nothing = Object.fromEntries(SCORE_COLUMNS.map((name) => [name, null])) as Omit<
    ScoreRow,
    'customerId'
  >;
  return scoreBatch(customers.map(([customerId, risk]) => ({ ...nothing, customerId, risk })));
}

async function place() {
  const dataDir = await mkdtemp(join(tmpdir(), "nextbest-scores-[it's]-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const lake = await testLake();
  let at = Date.UTC(2026, 0, 1);
  const write = (fill: (writer: SnapshotWriter) => Promise<void>) => {
    at += 60_000;
    const id = newModelVersion(at, () => 0.25);
    const about = { id, scoredAt: new Date(at).toISOString(), models: { churn: null, customerValue: 'v' } };
    return writeSnapshot(lake.connection, dataDir, about, fill);
  };
  const read = async (id: SnapshotId) => {
    const reader = await lake.connection.runAndReadAll(
      `SELECT "customerId", risk FROM ${fromSnapshot(dataDir, id)} ORDER BY 1`,
    );
    return reader.getRows();
  };
  return { dataDir, write, read };
}

test('rows come back as they were, through several parts', async () => {
  const { dataDir, write, read } = await place();
  const customers = 100_003;
  const snapshot = await write(async ({ add }) => {
    for (let first = 0; first < customers; first += 1000) {
      const batch = Array.from({ length: Math.min(1000, customers - first) }, (_, b) => first + b);
      await add(
        rows(...batch.map((n) => [`c${n}`, n % 2 === 0 ? n / customers : null] as [string, number | null])),
      );
    }
  });
  expect(snapshot.customers).toBe(customers);
  expect((await readdir(join(dataDir, 'scores', snapshot.id))).sort()).toEqual([
    'part-0000.parquet',
    'part-0001.parquet',
    'snapshot.json',
  ]);
  const found = await read(snapshot.id);
  expect(found).toHaveLength(customers);
  expect(found.find(([id]) => id === 'c100002')).toEqual(['c100002', 100_002 / customers]);
  expect(found.find(([id]) => id === 'c7')).toEqual(['c7', null]);
});

test('a shop without customers has a snapshot of nobody', async () => {
  const { dataDir, write, read } = await place();
  const { id } = await write(async () => {});
  expect(await read(id)).toEqual([]);
  expect(await readSnapshot(dataDir)).toMatchObject({ id, customers: 0, models: { customerValue: 'v' } });
});

test('the newest counts, the one before it is kept, and older ones and old leftovers go', async () => {
  const { dataDir, write } = await place();
  const ids: SnapshotId[] = [];
  for (let n = 0; n < 4; n++) ids.push((await write(({ add }) => add(rows(['ann', n / 4])))).id);
  const left = join(dataDir, 'scores', 'of-a-killed-process.tmp');
  await mkdir(left);
  await utimes(left, 1, 1);
  ids.push((await write(async () => {})).id);
  expect((await readdir(join(dataDir, 'scores'))).sort()).toEqual(ids.slice(3));
  expect((await readSnapshot(dataDir))?.id).toBe(ids[4]);
  expect((await readSnapshot(dataDir, ids[3]))?.id).toBe(ids[3]);
  expect(await readSnapshot(dataDir, ids[0])).toBeUndefined();
});

test('one that fails half way is never seen', async () => {
  const { dataDir, write } = await place();
  const { id } = await write(({ add }) => add(rows(['ann', 0.5])));
  await expect(
    write(async ({ add }) => {
      await add(rows(['bob', 0.5]));
      throw new Error('Redis is gone');
    }),
  ).rejects.toThrow('Redis is gone');
  expect(await readdir(join(dataDir, 'scores'))).toEqual([id]);
  expect((await readSnapshot(dataDir))?.id).toBe(id);
});

test('before the first there is none', async () => {
  const { dataDir } = await place();
  expect(await readSnapshot(dataDir)).toBeUndefined();
});
