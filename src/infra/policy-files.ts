/**
 * Decision policies that have been in force, each under the version that its decisions name: `<dataDir>/policies/<version>.json`.
 * On disk beside the lake, so that a decision of long ago can be read with the policy as it was. Written by each process that
 * decides, when it starts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureFolder, isThere, writeAtomically } from './files.ts';

/** `policy` as it was read then, with the defaults of that build; `savedAt`: when it was first in force. */
export const SavedPolicy = z.object({
  savedAt: z.iso.datetime(),
  policy: z.record(z.string(), z.unknown()),
});
export type SavedPolicy = z.output<typeof SavedPolicy>;

const PolicyVersion = z.string().regex(/^[0-9a-f]{12}$/);

/** What is there already stays as it is. `at` in milliseconds since 1970. */
export async function keepPolicy(
  dataDir: string,
  { policy, version }: { policy: object; version: string },
  at: number,
): Promise<void> {
  const folder = folderOf(dataDir);
  await ensureFolder(folder, 'DATA_DIR');
  const path = join(folder, `${PolicyVersion.parse(version)}.json`);
  if (await isThere(path)) return;
  const saved = { savedAt: new Date(at).toISOString(), policy };
  await writeAtomically(path, (temporary) => writeFile(temporary, JSON.stringify(saved)));
}

/** undefined: no process that wrote here has decided by it. */
export async function readPolicy(dataDir: string, version: string): Promise<SavedPolicy | undefined> {
  if (!PolicyVersion.safeParse(version).success) return undefined;
  try {
    const text = await readFile(join(folderOf(dataDir), `${version}.json`), 'utf8');
    return SavedPolicy.safeParse(JSON.parse(text)).data;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
}

function folderOf(dataDir: string): string {
  return join(dataDir, 'policies');
}
