import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';

const shop = await sandbox();
const untouched = await sandbox();
const small = ['demo', '--customers', '400', '--items', '80', '--days', '240'];
/** As on a machine without a Redis server. */
const bare = { PATH: '' };

async function json(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

test('the demo goes from nothing to live answers, stops on Ctrl-C, and goes on with its shop when it is started again', async () => {
  const first = shop.start(small, bare);
  // Asked as soon as there is anybody to ask.
  const { url, untrained } = await first.line('url');
  expect(untrained).toEqual([
    'train-collaborative',
    'train-churn',
    'train-customer-value',
    'train-offers',
    'score-customers',
  ]);
  // It follows the catalogue, which has just been filled.
  await eventually(async () => {
    expect((await json(`${url}/recommendations?n=3`)).items).toHaveLength(3);
  });
  expect(first.stderr()).not.toContain('train-offers: ');
  const { customerId } = await first.line('customerId');
  const before = await json(`${url}/recommendations?customerId=${customerId}`);
  expect(before).toMatchObject({ degraded: false });
  expect(before.items).toHaveLength(10);

  // Its own files are no excuse either: they are in the lake already.
  const offers = join(shop.dataDir, 'simulated', 'offers.ndjson');
  const mixed = await shop.run(['import', '--preset', 'nextbest', offers]);
  expect(mixed.exitCode).toBe(2);
  expect(mixed.stderr).toContain('Set DATA_DIR and MODELS_DIR to other folders');

  first.process.kill('SIGINT');
  expect(await first.ended).toBe(0);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();

  // As after an upgrade that changed the features: that model is trained anew, the other one stays.
  const churn = join(shop.modelsDir, 'churn');
  const manifest = join(churn, (await readFile(join(churn, 'CURRENT'), 'utf8')).trim(), 'manifest.json');
  const older = { ...JSON.parse(await readFile(manifest, 'utf8')), featureSchema: 'of-another-version' };
  await writeFile(manifest, JSON.stringify(older));

  const second = shop.start(small, bare);
  const { url: later, untrained: lacking } = await second.line('url');
  // That of offers too, though its gate has kept it in the shadow or it had too little to learn from.
  expect(lacking).toEqual(['train-churn', 'score-customers']);
  await second.line('customerId');
  expect(second.stderr()).toContain('Going on with the shop in');
  expect(second.stderr()).not.toContain('simulate');
  expect(second.stderr()).toContain('train-churn-latest 100%');
  expect(second.stderr()).not.toContain('train-collaborative');
  // The records were rebuilt from the lake: this Redis keeps nothing on disk.
  expect(await json(`${later}/customers/${customerId}/profile`)).toMatchObject({ customerId });
  const after = await json(`${later}/recommendations?customerId=${customerId}`);
  expect(after.modelVersion).toBe(before.modelVersion);
  // The demo twice, each as long as any test may take.
}, 480_000);

test('a wrong size of the shop is named before anything is made', async () => {
  const { exitCode, stderr } = await untouched.run(['demo', '--customers', 'many']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--customers');
  expect(existsSync(untouched.dataDir)).toBe(false);
});
