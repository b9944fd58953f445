import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../../src/infra/logger.ts';
import { createMetrics } from '../../../src/infra/metrics.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { createModelHolder } from '../../../src/serve/model-holder.ts';
import { publishShopModel } from '../../support/shop-models.ts';

test('a model that cannot rank is refused when it is taken up, and the one before it goes on', async () => {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-models-'));
  onTestFinished(() => rm(modelsDir, { recursive: true, force: true }));
  const good = await publishShopModel(modelsDir);
  // Whole by its checksums, but no customer can be folded in with it.
  await publishShopModel(modelsDir, (model) => ({ ...model, gram: model.gram.map(() => Number.NaN) }));

  const holder = createModelHolder({
    modelsDir,
    featureSchema: '',
    metrics: createServeMetrics(createMetrics().registry),
    log: createLogger('silent', 'tests'),
  });
  await holder.start();
  onTestFinished(holder.stop);
  expect(holder.collaborative?.version).toBe(good.version);
});
