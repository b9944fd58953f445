/** Files and baskets for the tests of the protocols. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { BasketLog } from '../../src/evaluation/next-basket/basket-log.ts';

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
