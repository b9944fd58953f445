import { expect, test } from 'vitest';
import { createAfterLoss } from '../../src/train/after-loss.ts';
import { deleteEach, silentLog, testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const every = '0 0 * * *';
const config = {
  trainSchedule: every,
  updateSchedule: every,
  refreshSchedule: every,
  scoreSchedule: every,
  driftSchedule: every,
};

function setUp() {
  const seen = { restores: 0, asked: 0, scheduled: new Set<string>(), now: 0, disk: 'well' };
  const restore = async () => {
    if (seen.disk !== 'well') throw new Error(seen.disk);
    seen.restores++;
  };
  const afterLoss = createAfterLoss(
    {
      redis,
      keys,
      tombstones: { restore },
      queue: {
        getJobSchedulersCount: async () => seen.scheduled.size,
        upsertJobScheduler: async (name: string) => void seen.scheduled.add(name),
      } as never,
      jobs: {
        enqueue: async () => {
          seen.asked++;
          return { jobId: 'refresh-features-latest', state: 'waiting' as const };
        },
      },
      config,
      log: silentLog,
    },
    () => seen.now,
  );
  return { afterLoss, seen };
}

test('a refresh that does not come to its end is asked for once a minute, and at once where Redis is emptied again', async () => {
  const { afterLoss, seen } = setUp();
  const round = async () => {
    await afterLoss.restoreErased();
    await afterLoss.restoreJobs();
  };
  await round();
  seen.now = 59_000;
  await round();
  expect(seen).toMatchObject({ restores: 1, asked: 1 });
  expect(seen.scheduled.size).toBe(8);
  seen.now = 60_000;
  await round();
  expect(seen.asked).toBe(2);
  await deleteEach(redis, [keys.remembersErased]);
  seen.scheduled.clear();
  await round();
  expect(seen).toMatchObject({ restores: 2, asked: 3 });
  expect(seen.scheduled.size).toBe(8);
  await redis.set(keys.recordsBuilt, 'of another version');
  seen.now = 600_000;
  await round();
  expect(seen).toMatchObject({ restores: 2, asked: 3 });
});

test('who has been erased is read again until it could be', async () => {
  const { afterLoss, seen } = setUp();
  seen.disk = 'unreadable';
  await expect(afterLoss.restoreErased()).rejects.toThrow('unreadable');
  await expect(afterLoss.restoreErased()).rejects.toThrow('unreadable');
  seen.disk = 'well';
  await afterLoss.restoreErased();
  await afterLoss.restoreErased();
  expect(seen.restores).toBe(1);
});
