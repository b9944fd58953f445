/**
 * `<dataDir>/lake/DEMO`: the shop in this lake is simulated. It stands there from before the demo's first event, so that
 * nobody's own purchases are mixed with invented ones.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../domain/errors.ts';
import { ensureFolder, writeAtomically } from '../infra/files.ts';

const markOf = (dataDir: string) => join(dataDir, 'lake', 'DEMO');

export async function markAsDemo(dataDir: string): Promise<void> {
  await ensureFolder(join(dataDir, 'lake'), 'DATA_DIR');
  await writeAtomically(markOf(dataDir), (temporary) =>
    writeFile(temporary, 'The shop in this lake was simulated by `nextbest demo`.\n'),
  );
}

/** Throws a UsageError where the lake holds the demo's shop. */
export function refuseDemo(dataDir: string): void {
  if (!existsSync(markOf(dataDir))) return;
  throw new UsageError(
    `${dataDir} holds the demo's simulated shop, and yours must not be mixed with it. Set DATA_DIR and MODELS_DIR to ` +
      'other folders for your shop (and KEY_PREFIX to another word, where REDIS_URL is set).',
  );
}
