/** The nightly scoring over a lake and a real Redis: as time passes and nobody posts an event, risks cross the bound. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { applyEvent, emptyRecord } from '../../../src/features/record.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { openLake } from '../../../src/history/lake.ts';
import { replayCustomers } from '../../../src/history/replay.ts';
import { readConfig } from '../../../src/infra/config.ts';
import type { JobContext } from '../../../src/train/jobs/job.ts';
import { scoreCustomersJob } from '../../../src/train/jobs/score-customers.ts';
import { readOutbox } from '../../../src/train/webhooks/outbox.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { publishShopChurnModel } from '../../support/shop-models.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';
import { testSecret } from '../../support/webhook-receiver.ts';

const { redis, keys, prefix, url } = testRedis();

test('a night takes everybody down; a later one tells of those whose risk has risen meanwhile, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-night-'));
  const lake = await openLake(folder);
  onTestFinished(async () => {
    lake.close();
    await rm(folder, { recursive: true });
  });
  await writeSimulatedEvents(lake, { customers: 300, items: 60, days: 120, seed: 2, end: '2026-05-31' });
  const store = createRecordStore(redis, keys);
  await replayCustomers(lake, {}, async (subjectId, events) => {
    const record = emptyRecord();
    for (const event of events) applyEvent(record, event);
    await store.replaceCovered([{ subjectId, record }], '0-0');
  });
  const modelsDir = join(folder, 'models');
  await publishShopChurnModel(modelsDir);
  const night = async (now: number, env: Record<string, string> = {}) => {
    const config = readConfig({
      REDIS_URL: url,
      KEY_PREFIX: prefix,
      KERNEL_THREADS: '2',
      LOG_LEVEL: 'silent',
      DATA_DIR: folder,
      MODELS_DIR: modelsDir,
      ...env,
    });
    const context: Omit<JobContext, 'kernels' | 'askFor'> = {
      config,
      lake,
      keys,
      redis,
      log: silentLog,
      now: () => now,
      random: Math.random,
      report: async () => {},
    };
    const { metrics } = await scoreCustomersJob({ seed: 1 }, context as JobContext);
    return metrics.crossings;
  };
  const told = async () => (await readOutbox({ redis, keys }, 1000)).map(({ entry }) => entry);

  const on = { WEBHOOK_URL: 'https://crm.example/', WEBHOOK_SECRETS: testSecret, WEBHOOK_RISK_ABOVE: '0.7' };
  const june = Date.UTC(2026, 5, 1);
  const october = Date.UTC(2026, 9, 1);
  expect(await night(june, on)).toBe(0);
  const crossed = await night(october, on);
  expect(crossed).toBeGreaterThan(0);
  expect(await night(october, on)).toBe(0);
  const entries = await told();
  expect(entries).toHaveLength(crossed!);
  expect(entries[0]).toMatchObject({
    kind: 'cause',
    cause: { kind: 'churnRisk', bound: 0.7, horizonDays: 60, at: october, belowSince: june },
  });
  expect(new Set(entries.map((entry) => entry?.kind === 'cause' && entry.customerId)).size).toBe(crossed);

  // Without an address, nobody is told.
  expect(await night(Date.UTC(2027, 5, 1))).toBe(0);
  expect(await told()).toHaveLength(crossed!);
});
