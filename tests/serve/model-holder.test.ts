import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../../src/infra/logger.ts';
import { createMetrics } from '../../src/infra/metrics.ts';
import { createServeMetrics } from '../../src/serve/metrics.ts';
import { createModelHolder } from '../../src/serve/model-holder.ts';
import { eventually } from '../support/eventually.ts';
import { publishShopModel } from '../support/shop-models.ts';

async function holderOf(modelsDir: string) {
  const metrics = createServeMetrics(createMetrics().registry);
  const log = createLogger('silent', 'tests');
  const errors = vi.spyOn(log, 'error');
  const holder = createModelHolder({
    modelsDir,
    featureSchema: '',
    metrics,
    log,
    pollIntervalMs: 5,
    retryIntervalMs: 5,
  });
  await holder.start();
  onTestFinished(holder.stop);
  const failures = async () => (await metrics.modelLoadFailures.get()).values[0]?.value ?? 0;
  return { holder, failures, errors };
}

async function modelsFolder(): Promise<string> {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-models-'));
  onTestFinished(() => rm(modelsDir, { recursive: true, force: true }));
  return modelsDir;
}

test('a damaged version that is put right where it is, is taken up; meanwhile its fault is logged once', async () => {
  const modelsDir = await modelsFolder();
  const before = await publishShopModel(modelsDir);
  const damaged = await publishShopModel(modelsDir);
  const path = join(modelsDir, 'collaborative', damaged.version, 'gram.bin');
  const whole = await readFile(path);
  await writeFile(path, 'x');

  const { holder, failures, errors } = await holderOf(modelsDir);
  expect(holder.collaborative?.version).toBe(before.version);
  await eventually(async () => expect(await failures()).toBeGreaterThan(3));
  expect(errors).toHaveBeenCalledTimes(1);

  await writeFile(path, whole);
  await eventually(() => expect(holder.collaborative?.version).toBe(damaged.version));
});

test('a CURRENT that names no version is logged, and what is named there later is served', async () => {
  const modelsDir = await modelsFolder();
  const { version } = await publishShopModel(modelsDir);
  const path = join(modelsDir, 'collaborative', 'CURRENT');
  await writeFile(path, 'torn');

  const { holder, errors } = await holderOf(modelsDir);
  expect(holder.collaborative).toBeUndefined();
  expect(errors.mock.calls[0]?.[0]).toMatchObject({
    event: 'model.refused',
    reason: expect.stringContaining('CURRENT names no version'),
  });

  await writeFile(path, version);
  await eventually(() => expect(holder.collaborative?.version).toBe(version));
});
