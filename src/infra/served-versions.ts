/**
 * Which version of a model is served: `<modelsDir>/<name>/CURRENT`, a version a line, the served one first and below it
 * those served before, newest first (what a rollback returns to). The last writer wins.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../domain/errors.ts';
import { ModelName, ModelVersion } from '../domain/manifest.ts';
import { writeAtomically } from './files.ts';

/** Lines of CURRENT: the served version and the rollbacks that are possible. */
const historyLength = 5;

const currentFile = 'CURRENT';

/** The version that is served; undefined where there is none. */
export async function currentVersion(modelsDir: string, name: ModelName): Promise<ModelVersion | undefined> {
  return (await servedVersions(modelsDir, name))[0];
}

/**
 * The served version, then those before it, newest first; none where there is no CURRENT. AppError MODEL_UNAVAILABLE where
 * there is one that names no version: that is damage, not a shop without models.
 */
export async function servedVersions(modelsDir: string, name: ModelName): Promise<ModelVersion[]> {
  const path = join(modelsDir, ModelName.parse(name), currentFile);
  const text = await readFile(path, 'utf8').catch((err) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  });
  if (text === undefined) return [];
  const versions = text
    .split('\n')
    .map((line) => ModelVersion.safeParse(line.trim()))
    .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
  if (versions.length === 0)
    throw new AppError('MODEL_UNAVAILABLE', {
      public: `What names the served ${name} model is damaged; promote a version.`,
      internal: `${path} names no version; put one there: nextbest models promote ${name} VERSION`,
    });
  return versions;
}

/** Puts a version in front of those served so far; over a CURRENT that is damaged, alone. */
export async function serveNext(modelsDir: string, name: ModelName, version: ModelVersion): Promise<void> {
  const served = await servedVersions(modelsDir, name).catch(forgetDamage);
  const before = served.filter((other) => other !== version);
  await writeServed(modelsDir, name, [version, ...before].slice(0, historyLength));
}

function forgetDamage(err: unknown): ModelVersion[] {
  if (err instanceof AppError) return [];
  throw err;
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
