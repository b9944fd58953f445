/**
 * The shop that tests of measurements are made on. Simulated, imported and trained once in a run of the suite, by whoever wants
 * it first; each has a copy of its own.
 */
import { access, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { openBenchPlace } from '../../src/cli/bench/bench-place.ts';
import { prepareShop } from '../../src/cli/bench/prepared-shop.ts';
import { eventually } from './eventually.ts';

/** As the commands take it. */
export const benchShopSize = { shop: 150, items: 100, seed: 1 };

/** A folder with the shop, as `--folder` takes it; gone when the test has ended. */
export async function benchShop(): Promise<string> {
  const made = join(inject('sharedFolder'), 'bench-shop');
  if (await isFirst(made)) {
    const place = await openBenchPlace(made);
    try {
      await prepareShop(place.root, place.env, benchShopSize, () => {});
    } finally {
      await place.close();
    }
  }
  // Its mark is written last.
  await eventually(() => access(join(made, 'prepared.json')));
  const own = await mkdtemp(join(tmpdir(), 'nextbest-bench-'));
  onTestFinished(() => rm(own, { recursive: true, force: true, maxRetries: 10 }));
  await cp(made, own, { recursive: true });
  return own;
}

function isFirst(folder: string): Promise<boolean> {
  return mkdir(folder).then(
    () => true,
    (err: NodeJS.ErrnoException) => {
      if (err.code === 'EEXIST') return false;
      throw err;
    },
  );
}
