/** A lake of a test's own, in a folder that goes with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Lake, openLake } from '../../src/history/lake.ts';

export async function testLake(): Promise<Lake> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-lake-'));
  const lake = await openLake(folder, { threads: 1, memoryMb: 256 });
  onTestFinished(async () => {
    lake.close();
    await rm(folder, { recursive: true, force: true });
  });
  return lake;
}
