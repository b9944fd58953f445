/** Files and baskets for the tests of the protocols. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type CsrMatrix, csrFromTriplets } from '../../src/algorithms/csr.ts';
import type { BasketLog } from '../../src/algorithms/next-basket/basket-log.ts';
import { createRng } from '../../src/algorithms/rng.ts';

/** Writes a file of the test's own into a folder that is deleted after the test file; answers its path. */
export async function temporaryFiles(): Promise<
  (name: string, content: string | Uint8Array) => Promise<string>
> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-evaluation-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return async (name, content) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
}

/** A log from each user's baskets, oldest first. */
export function basketLog(items: number, users: readonly (readonly (readonly number[])[])[]): BasketLog {
  const userBaskets = [0];
  const basketItems = [0];
  const item: number[] = [];
  for (const baskets of users) {
    for (const basket of baskets) {
      item.push(...basket);
      basketItems.push(item.length);
    }
    userBaskets.push(basketItems.length - 1);
  }
  return {
    users: users.length,
    items,
    userBaskets: Int32Array.from(userBaskets),
    basketItems: Int32Array.from(basketItems),
    item: Int32Array.from(item),
  };
}

/** Users × items of users who each have two of the tastes, and items of one: up to a third of a taste's items each. */
export function tasteMatrix(users: number, items: number, tastes: number, seed: number): CsrMatrix {
  const rng = createRng(seed, 'tastes');
  const row: number[] = [];
  const col: number[] = [];
  for (let u = 0; u < users; u++) {
    const own = [rng.nextInt(tastes), rng.nextInt(tastes)];
    for (let i = 0; i < items; i++)
      if (rng.chance(own.includes(i % tastes) ? 0.15 + 0.3 * (i / items) : 0.02)) {
        row.push(u);
        col.push(i);
      }
  }
  return csrFromTriplets(users, items, { row, col, value: row.map(() => 1) });
}
