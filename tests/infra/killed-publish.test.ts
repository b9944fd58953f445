/** A process that is killed while it publishes: what is there is whole, and what is served stands or is the new version. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';
import { listModels, loadModel } from '../../src/infra/model-store.ts';
import { currentVersion } from '../../src/infra/served-versions.ts';

const store = pathToFileURL(builtEntry('../../src/infra/model-store.js', import.meta.url)).href;

/** Publishes one version after the other, from number `first` on, each with 8 MB of weights that are its number. */
function publishing(modelsDir: string, first: number): ChildProcess {
  const script = `
    const { newModelVersion, publishModel } = await import(${JSON.stringify(store)});
    for (let n = ${first}; ; n++)
      await publishModel(${JSON.stringify(modelsDir)}, {
        name: 'churn', version: newModelVersion(Date.UTC(2026, 0, 1) + n * 1000, () => 0.5),
        createdAt: '2026-01-01T00:00:00.000Z', featureSchema: '0a1b2c3d',
        dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
        parameters: { n }, metrics: {}, backend: 'wasm-simd', gate: { passed: true, reason: 'better' },
      }, { weights: new Float32Array(2_000_000).fill(n) }, { features: ['a'] });`;
  return spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

test('killed in the midst of writing, nine times: every version that is listed is whole, and so is the one that is served', async () => {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-killed-publish-'));
  onTestFinished(() => rm(modelsDir, { recursive: true, force: true }));
  const folder = join(modelsDir, 'churn');
  const names = () => readdir(folder).catch(() => [] as string[]);
  const halves = async () => new Set((await names()).filter((name) => name.endsWith('.tmp')));
  let halfWritten = 0;
  for (let round = 0; round < 9; round++) {
    const served = await currentVersion(modelsDir, 'churn').catch(() => undefined);
    const before = await halves();
    const isNew = (name: string) => !before.has(name);
    const child = publishing(modelsDir, 100 * (round + 1));
    const exited = once(child, 'exit');
    // From the second version of this round on, in the midst of one: then there is always one that is served.
    while ((await currentVersion(modelsDir, 'churn').catch(() => undefined)) === served);
    while (![...(await halves())].some(isNew));
    child.kill('SIGKILL');
    await exited;
    if ([...(await halves())].some(isNew)) halfWritten++;

    const listed = await listModels(modelsDir);
    expect(listed.length).toBeGreaterThan(0);
    for (const { manifest } of listed) {
      const { arrays } = await loadModel(modelsDir, 'churn', manifest.version);
      expect(new Set(arrays.weights)).toEqual(new Set([manifest.parameters.n]));
    }
    const current = await loadModel(modelsDir, 'churn');
    expect(Number(current.manifest.parameters.n)).toBeGreaterThanOrEqual(100 * (round + 1));
    expect(listed.filter((one) => one.current)).toHaveLength(1);
  }
  // It was not that each came too late.
  expect(halfWritten).toBeGreaterThan(0);
}, 300_000);
