/**
 * Published models on disk, where training and serving meet:
 *
 *   <modelsDir>/<name>/<version>/manifest.json   what the model says of itself, with size and SHA-256 of each file
 *   <modelsDir>/<name>/<version>/<array>.bin     typed arrays, little endian
 *   <modelsDir>/<name>/<version>/<table>.json    everything else
 *   <modelsDir>/<name>/CURRENT                   the version being served, and those before it (served-versions.ts)
 *
 * A version appears whole (written apart, flushed, renamed) and never changes.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../domain/errors.ts';
import { ModelManifest, ModelName, ModelVersion } from '../domain/manifest.ts';
import { writeAtomically } from './files.ts';
import {
  encodeModel,
  type ModelArrays,
  type ModelTables,
  readManifest,
  readModelFiles,
  writeModelFiles,
} from './model-files.ts';
import { currentVersion, servedVersions, serveNext, writeServed } from './served-versions.ts';
import { trialVersions } from './trial-versions.ts';

export type ModelDraft = Omit<ModelManifest, 'files'>;
export type LoadedModel = { manifest: ModelManifest; arrays: ModelArrays; tables: ModelTables };
export type ListedModel = { manifest: ModelManifest; current: boolean };

/** Versions that are kept of each model, besides those that a rollback may return to and those that experiments try. */
const keptVersions = 5;
const leftoverAgeMs = 24 * 3600 * 1000;

/** `random` in [0, 1) keeps two trainings of one second apart. */
export function newModelVersion(now: number, random: () => number): ModelVersion {
  const time = new Date(now)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  const tail = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  return `${time}-${tail}`;
}

/**
 * Writes a model as a new version, and names it in CURRENT if its gate passed. Old versions are removed.
 * Throws AppError CONFLICT where the version exists.
 */
export async function publishModel(
  modelsDir: string,
  draft: ModelDraft,
  arrays: ModelArrays,
  tables: ModelTables,
): Promise<ModelManifest> {
  const files = encodeModel(arrays, tables);
  const manifest = ModelManifest.parse({ ...draft, files: files.map(({ description }) => description) });
  const folder = join(modelsDir, manifest.name);
  await mkdir(folder, { recursive: true });
  const target = join(folder, manifest.version);
  if (await exists(target)) {
    throw new AppError('CONFLICT', { public: `Model ${manifest.name} ${manifest.version} exists already.` });
  }
  await writeAtomically(target, async (temporary) => {
    await mkdir(temporary);
    await writeModelFiles(temporary, manifest, files);
  });
  if (manifest.gate.passed) await serveNext(modelsDir, manifest.name, manifest.version);
  await prune(modelsDir, manifest.name);
  return manifest;
}

/**
 * Reads one version (the current one, if none is named) and checks every file against its manifest.
 * Throws AppError MODEL_UNAVAILABLE, naming the file, where anything is missing or not as it was written.
 */
export async function loadModel(
  modelsDir: string,
  name: ModelName,
  version?: ModelVersion,
): Promise<LoadedModel> {
  const chosen = version ?? (await currentVersion(modelsDir, name));
  if (chosen === undefined) {
    throw new AppError('MODEL_UNAVAILABLE', { public: `No ${name} model has been published yet.` });
  }
  const folder = versionFolder(modelsDir, name, chosen);
  const manifest = await readManifest(folder, name, chosen);
  return { manifest, ...(await readModelFiles(folder, manifest)) };
}

/**
 * The newest of the served versions that is whole, and that `accept` takes without throwing: the current one, else those
 * before it. A process that starts beside a damaged file serves the last good model. `onRefused` hears of each version that
 * is passed over; undefined = none is left.
 */
export async function loadServableModel(
  modelsDir: string,
  name: ModelName,
  onRefused: (version: ModelVersion, err: unknown) => void,
  accept: (loaded: LoadedModel) => void | Promise<void> = () => {},
): Promise<LoadedModel | undefined> {
  for (const version of await servedVersions(modelsDir, name)) {
    try {
      const loaded = await loadModel(modelsDir, name, version);
      await accept(loaded);
      return loaded;
    } catch (err) {
      onRefused(version, err);
    }
  }
  return undefined;
}

/** Every version whose manifest can be read, by name and then newest first. */
export async function listModels(modelsDir: string): Promise<ListedModel[]> {
  const listed: ListedModel[] = [];
  for (const name of ModelName.options) {
    // Where CURRENT cannot be read, the list is what a person chooses from.
    const current = await currentVersion(modelsDir, name).catch(() => undefined);
    for (const version of await versionsOf(modelsDir, name)) {
      const manifest = await readManifest(versionFolder(modelsDir, name, version), name, version).catch(
        () => undefined,
      );
      if (manifest) listed.push({ manifest, current: version === current });
    }
  }
  return listed;
}

/**
 * Serves a version from now on, whatever its gate said; refused where it is damaged. Throws AppError CONFLICT where it reads other
 * features than `featureSchema`, those of this build: every process would refuse it.
 */
export async function promoteModel(
  modelsDir: string,
  name: ModelName,
  version: ModelVersion,
  featureSchema: string,
): Promise<ModelManifest> {
  if (!(await exists(versionFolder(modelsDir, name, version)))) {
    throw new AppError('NOT_FOUND', { public: `There is no ${name} model ${version}.` });
  }
  const { manifest } = await loadModel(modelsDir, name, version);
  if (!readsFeatures(manifest, featureSchema)) {
    throw new AppError('CONFLICT', {
      public:
        `The ${name} model ${version} reads the features of another build of nextbest (${manifest.featureSchema}; this one has ` +
        `${featureSchema}), and no process would serve it: train again (nextbest train, or POST /jobs).`,
    });
  }
  await serveNext(modelsDir, name, version);
  return manifest;
}

/** A model without features of customers fits any build. */
function readsFeatures(manifest: ModelManifest, featureSchema: string): boolean {
  return manifest.featureSchema === null || manifest.featureSchema === featureSchema;
}

/**
 * Serves the version that was served before the current one; again, the one before that. Versions that are damaged, or read other
 * features than `featureSchema`, are passed over. Throws AppError CONFLICT where there is none to return to.
 */
export async function rollbackModel(
  modelsDir: string,
  name: ModelName,
  featureSchema: string,
): Promise<ModelManifest> {
  const earlier = (await servedVersions(modelsDir, name)).slice(1);
  for (const [position, version] of earlier.entries()) {
    const loaded = await loadModel(modelsDir, name, version).catch(() => undefined);
    if (loaded === undefined || !readsFeatures(loaded.manifest, featureSchema)) continue;
    await writeServed(modelsDir, name, earlier.slice(position));
    return loaded.manifest;
  }
  throw new AppError('CONFLICT', { public: `There is no earlier ${name} model to return to.` });
}

/**
 * Calls `onChange` for each model that is served, at once and whenever another version is, until `stop` is called.
 * Polls the text of CURRENT: folder watches do not see changes on network file systems.
 */
export function watchModels(
  modelsDir: string,
  onChange: (name: ModelName, version: ModelVersion) => void,
  intervalMs = 1000,
): () => void {
  const seen = new Map<ModelName, ModelVersion>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const poll = async () => {
    for (const name of ModelName.options) {
      const version = await currentVersion(modelsDir, name).catch(() => undefined);
      if (stopped) return;
      if (version === undefined || version === seen.get(name)) continue;
      seen.set(name, version);
      onChange(name, version);
    }
    timer = setTimeout(poll, intervalMs).unref();
  };
  void poll();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Parsed here, whoever calls: the parts of a path that come from outside. */
function versionFolder(modelsDir: string, name: ModelName, version: ModelVersion): string {
  return join(modelsDir, ModelName.parse(name), ModelVersion.parse(version));
}

async function versionsOf(modelsDir: string, name: ModelName): Promise<ModelVersion[]> {
  const names = await readdir(join(modelsDir, name)).catch(() => []);
  return names
    .filter((entry) => ModelVersion.safeParse(entry).success)
    .sort()
    .reverse();
}

async function prune(modelsDir: string, name: ModelName): Promise<void> {
  const folder = join(modelsDir, name);
  const served = await servedVersions(modelsDir, name).catch(() => undefined);
  // Any of them may be the one that is served.
  if (served === undefined) return;
  const kept = new Set([...served, ...(await trialVersions(modelsDir, name))]);
  const versions = await versionsOf(modelsDir, name);
  for (const version of versions.slice(0, keptVersions)) kept.add(version);
  for (const version of versions)
    if (!kept.has(version)) await rm(join(folder, version), { recursive: true, force: true });
  for (const entry of await readdir(folder)) {
    if (!entry.endsWith('.tmp')) continue;
    const path = join(folder, entry);
    // What a killed process left; younger ones may be another process's work.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - leftoverAgeMs) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
