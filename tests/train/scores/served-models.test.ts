/** What the jobs that ask the served models say where those are damaged. */
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../src/infra/config.ts';
import { checkDriftJob } from '../../../src/train/drift/check-drift.ts';
import type { JobContext } from '../../../src/train/jobs/job.ts';
import { scoreCustomersJob } from '../../../src/train/jobs/score-customers.ts';
import { silentLog } from '../../support/redis.ts';
import { publishShopChurnModel } from '../../support/shop-models.ts';

test.each([
  ['score-customers', scoreCustomersJob],
  ['check-drift', checkDriftJob],
])('%s tells a model that is damaged from one that was never made, with the cure', async (_, job) => {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-damaged-'));
  onTestFinished(() => rm(modelsDir, { recursive: true }));
  const context = {
    config: readConfig({ MODELS_DIR: modelsDir }),
    log: silentLog,
    now: () => Date.UTC(2026, 5, 1),
    report: async () => {},
  } as unknown as JobContext;
  expect((await job({ seed: 1 }, context)).reason).toMatch(/^no (churn )?model is served/);

  await publishShopChurnModel(modelsDir);
  for (const path of await readdir(join(modelsDir, 'churn'), { recursive: true }))
    if (path.endsWith('.bin')) await truncate(join(modelsDir, 'churn', path), 3);
  expect((await job({ seed: 1 }, context)).reason).toBe(
    'no served version of churn can be read by this build: train-churn makes another',
  );
});
