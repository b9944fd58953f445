/**
 * Published models on disk, where training and serving meet:
 *
 *   <modelsDir>/<name>/<version>/manifest.json   what the model says of itself, with size and SHA-256 of each file
 *   <modelsDir>/<name>/<version>/<array>.bin     typed arrays, little endian
 *   <modelsDir>/<name>/<version>/<table>.json    everything else
 *   <modelsDir>/<name>/CURRENT                   first line: the version being served; below it those served
 *                                                before, newest first (what a rollback returns to)
 *
 * A version appears whole (written apart, flushed, renamed) and never changes. The last writer of CURRENT wins.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import { type ARRAY_TYPES, ModelFile, ModelManifest, ModelName, ModelVersion } from '../domain/manifest.ts';
import { syncPath, writeAtomically } from './files.ts';

export type ModelArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
export type ModelArrays = Record<string, ModelArray>;
/** Anything that JSON holds. */
export type ModelTables = Record<string, unknown>;
export type ModelDraft = Omit<ModelManifest, 'files'>;
export type LoadedModel = { manifest: ModelManifest; arrays: ModelArrays; tables: ModelTables };
export type ListedModel = { manifest: ModelManifest; current: boolean };

/** Versions that are kept of each model, besides those that a rollback may return to. */
const keptVersions = 5;
/** Lines of CURRENT: the served version and the rollbacks that are possible. */
const historyLength = 5;
const leftoverAgeMs = 24 * 3600 * 1000;

const manifestFile = 'manifest.json';
const currentFile = 'CURRENT';

type ArrayType = (typeof ARRAY_TYPES)[number];
const arrayClasses = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
} as const satisfies Record<ArrayType, unknown>;

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
  refuseBigEndian();
  const files = [...arrayFiles(arrays), ...tableFiles(tables)];
  const manifest = ModelManifest.parse({ ...draft, files: files.map(({ description }) => description) });
  const folder = join(modelsDir, manifest.name);
  await mkdir(folder, { recursive: true });
  const target = join(folder, manifest.version);
  if (await exists(target)) {
    throw new AppError('CONFLICT', { public: `Model ${manifest.name} ${manifest.version} exists already.` });
  }
  await writeAtomically(target, async (temporary) => {
    await mkdir(temporary);
    for (const { description, bytes } of files) {
      await writeFile(join(temporary, description.file), bytes);
      await syncPath(join(temporary, description.file));
    }
    const path = join(temporary, manifestFile);
    await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
    await syncPath(path);
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
  refuseBigEndian();
  const chosen = version ?? (await currentVersion(modelsDir, name));
  if (chosen === undefined) {
    throw new AppError('MODEL_UNAVAILABLE', { public: `No ${name} model has been published yet.` });
  }
  const folder = versionFolder(modelsDir, name, chosen);
  const manifest = await readManifest(folder, name, chosen);
  const arrays: ModelArrays = {};
  const tables: ModelTables = {};
  for (const entry of manifest.files) {
    const bytes = await readChecked(folder, entry);
    const key = entry.file.replace(/\.(bin|json)$/, '');
    if (entry.arrayType === undefined) tables[key] = JSON.parse(bytes.toString('utf8'));
    else arrays[key] = toArray(bytes, entry.arrayType);
  }
  return { manifest, arrays, tables };
}

/**
 * The newest of the served versions that is whole: the current one, else those before it. A process that starts
 * beside a damaged file serves the last good model. `onRefused` hears of each damaged version; undefined = none is left.
 */
export async function loadServableModel(
  modelsDir: string,
  name: ModelName,
  onRefused: (version: ModelVersion, err: unknown) => void,
): Promise<LoadedModel | undefined> {
  for (const version of await servedVersions(modelsDir, name)) {
    try {
      return await loadModel(modelsDir, name, version);
    } catch (err) {
      onRefused(version, err);
    }
  }
  return undefined;
}

/** The version that is served; undefined where there is none. */
export async function currentVersion(modelsDir: string, name: ModelName): Promise<ModelVersion | undefined> {
  return (await servedVersions(modelsDir, name))[0];
}

/** Every version whose manifest can be read, by name and then newest first. */
export async function listModels(modelsDir: string): Promise<ListedModel[]> {
  const listed: ListedModel[] = [];
  for (const name of ModelName.options) {
    const current = await currentVersion(modelsDir, name);
    for (const version of await versionsOf(modelsDir, name)) {
      const manifest = await readManifest(versionFolder(modelsDir, name, version), name, version).catch(
        () => undefined,
      );
      if (manifest) listed.push({ manifest, current: version === current });
    }
  }
  return listed;
}

/** Serves a version from now on, whatever its gate said; refused where it is damaged. */
export async function promoteModel(
  modelsDir: string,
  name: ModelName,
  version: ModelVersion,
): Promise<ModelManifest> {
  if (!(await exists(versionFolder(modelsDir, name, version)))) {
    throw new AppError('NOT_FOUND', { public: `There is no ${name} model ${version}.` });
  }
  const { manifest } = await loadModel(modelsDir, name, version);
  await serveNext(modelsDir, name, version);
  return manifest;
}

/**
 * Serves the version that was served before the current one; again, the one before that. Damaged versions are
 * passed over. Throws AppError CONFLICT where there is none to return to.
 */
export async function rollbackModel(modelsDir: string, name: ModelName): Promise<ModelManifest> {
  const earlier = (await servedVersions(modelsDir, name)).slice(1);
  for (const [position, version] of earlier.entries()) {
    const loaded = await loadModel(modelsDir, name, version).catch(() => undefined);
    if (loaded === undefined) continue;
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

async function servedVersions(modelsDir: string, name: ModelName): Promise<ModelVersion[]> {
  const text = await readFile(join(modelsDir, ModelName.parse(name), currentFile), 'utf8').catch((err) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw err;
  });
  return text
    .split('\n')
    .map((line) => ModelVersion.safeParse(line.trim()))
    .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
}

async function serveNext(modelsDir: string, name: ModelName, version: ModelVersion): Promise<void> {
  const before = (await servedVersions(modelsDir, name)).filter((other) => other !== version);
  await writeServed(modelsDir, name, [version, ...before].slice(0, historyLength));
}

async function writeServed(modelsDir: string, name: ModelName, versions: ModelVersion[]): Promise<void> {
  await writeAtomically(join(modelsDir, name, currentFile), (temporary) =>
    writeFile(temporary, `${versions.join('\n')}\n`),
  );
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
  const kept = new Set(await servedVersions(modelsDir, name));
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

type FileToWrite = { description: z.output<typeof ModelFile>; bytes: Buffer };

function arrayFiles(arrays: ModelArrays): FileToWrite[] {
  return Object.entries(arrays).map(([key, array]) => {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    return { description: describeFile(`${key}.bin`, bytes, arrayTypeOf(array)), bytes };
  });
}

function tableFiles(tables: ModelTables): FileToWrite[] {
  return Object.entries(tables).map(([key, table]) => {
    if (`${key}.json` === manifestFile) throw new Error(`a model's table cannot be called ${key}`);
    const bytes = Buffer.from(JSON.stringify(table));
    return { description: describeFile(`${key}.json`, bytes), bytes };
  });
}

function describeFile(file: string, bytes: Buffer, arrayType?: ArrayType): z.output<typeof ModelFile> {
  const sha256 = sha(bytes).digest('hex');
  return ModelFile.parse({ file, bytes: bytes.byteLength, sha256, ...(arrayType && { arrayType }) });
}

function sha(bytes: Buffer): Hash {
  return createHash('sha256').update(bytes);
}

function arrayTypeOf(array: ModelArray): ArrayType {
  for (const [type, arrayClass] of Object.entries(arrayClasses))
    if (array instanceof arrayClass) return type as ArrayType;
  throw new Error('a model holds float32, float64, int32, uint32 and uint8 arrays only');
}

async function readManifest(folder: string, name: ModelName, version: ModelVersion): Promise<ModelManifest> {
  const path = join(folder, manifestFile);
  const text = await readFile(path, 'utf8').catch((err) => {
    throw refused(path, 'cannot be read', err);
  });
  const parsed = ModelManifest.safeParse(parseJson(text));
  if (!parsed.success) throw refused(path, 'is not a manifest', parsed.error);
  if (parsed.data.name !== name || parsed.data.version !== version)
    throw refused(path, `belongs to ${parsed.data.name} ${parsed.data.version}`);
  return parsed.data;
}

async function readChecked(folder: string, entry: z.output<typeof ModelFile>): Promise<Buffer> {
  const path = join(folder, entry.file);
  const { size } = await stat(path).catch((err) => {
    throw refused(path, 'cannot be read', err);
  });
  // Before reading: a file of another size is not to fill the memory.
  if (size !== entry.bytes) throw refused(path, `has ${size} bytes, its manifest says ${entry.bytes}`);
  const bytes = await readFile(path);
  if (sha(bytes).digest('hex') !== entry.sha256)
    throw refused(path, 'does not match the SHA-256 of its manifest');
  return bytes;
}

function toArray(bytes: Buffer, type: ArrayType): ModelArray {
  const arrayClass = arrayClasses[type];
  // Copied, because a Buffer may start anywhere in its memory and the arrays need alignment.
  const aligned = new Uint8Array(bytes).buffer;
  return new arrayClass(aligned);
}

function refused(path: string, fault: string, cause?: unknown): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The model is damaged and cannot be used.',
    internal: `${path} ${fault}`,
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseBigEndian(): void {
  if (endianness() !== 'LE') throw new Error('models are little endian; this machine is not');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
