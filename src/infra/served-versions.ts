/**
 * Which version of a model is served: `<modelsDir>/<name>/CURRENT`, a version a line, the served one first and below it
 * those served before, newest first (what a rollback returns to). The last writer wins.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelName, ModelVersion } from '../domain/manifest.ts';
import { writeAtomically } from './files.ts';

/** Lines of CURRENT: the served version and the rollbacks that are possible. */
const historyLength = 5;

const currentFile = 'CURRENT';

/** The version that is served; undefined where there is none. */
export async function currentVersion(modelsDir: string, name: ModelName): Promise<ModelVersion | undefined> {
  return (await servedVersions(modelsDir, name))[0];
}

/** The served version, then those before it, newest first. */
export async function servedVersions(modelsDir: string, name: ModelName): Promise<ModelVersion[]> {
  const text = await readFile(join(modelsDir, ModelName.parse(name), currentFile), 'utf8').catch((err) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw err;
  });
  return text
    .split('\n')
    .map((line) => ModelVersion.safeParse(line.trim()))
    .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
}

/** Puts a version in front of those served so far. */
export async function serveNext(modelsDir: string, name: ModelName, version: ModelVersion): Promise<void> {
  const before = (await servedVersions(modelsDir, name)).filter((other) => other !== version);
  await writeServed(modelsDir, name, [version, ...before].slice(0, historyLength));
}

export async function writeServed(
  modelsDir: string,
  name: ModelName,
  versions: ModelVersion[],
): Promise<void> {
  await writeAtomically(join(modelsDir, name, currentFile), (temporary) =>
    writeFile(temporary, `${versions.join('\n')}\n`),
  );
}
