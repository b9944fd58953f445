/**
 * Which versions of a model experiments try: `<modelsDir>/<name>/TRIAL`, a version a line. They are not removed when new ones
 * come, however long the experiment goes on. Written by each service that starts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelName, ModelVersion } from '../domain/manifest.ts';
import { writeAtomically } from './files.ts';

const trialFile = 'TRIAL';

/** Whatever the file holds, only versions come out; none where there is no file. */
export async function trialVersions(modelsDir: string, name: ModelName): Promise<ModelVersion[]> {
  const text = await readFile(pathOf(modelsDir, name), 'utf8').catch((err) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw err;
  });
  return text.split('\n').flatMap((line) => ModelVersion.safeParse(line.trim()).data ?? []);
}

/** In the place of those so far; a file is written only where they are others. */
export async function keepTrialVersions(
  modelsDir: string,
  name: ModelName,
  versions: readonly ModelVersion[],
): Promise<void> {
  const sorted = [...new Set(versions)].sort();
  const before = await trialVersions(modelsDir, name);
  if (before.join() === sorted.join()) return;
  const text = sorted.map((version) => `${version}\n`).join('');
  await writeAtomically(pathOf(modelsDir, name), (temporary) => writeFile(temporary, text));
}

function pathOf(modelsDir: string, name: ModelName): string {
  return join(modelsDir, ModelName.parse(name), trialFile);
}
