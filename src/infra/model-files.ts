/** A model version's files: typed arrays and tables as bytes, each with its size and SHA-256 in the manifest. */
import { createHash, type Hash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import {
  type ARRAY_TYPES,
  ModelFile,
  ModelManifest,
  type ModelName,
  type ModelVersion,
} from '../domain/manifest.ts';
import { syncPath } from './files.ts';

export type ModelArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
export type ModelArrays = Record<string, ModelArray>;
/** Anything that JSON holds. */
export type ModelTables = Record<string, unknown>;

export type EncodedFile = { description: z.output<typeof ModelFile>; bytes: Buffer };

const manifestFile = 'manifest.json';

type ArrayType = (typeof ARRAY_TYPES)[number];
const arrayClasses = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
} as const satisfies Record<ArrayType, unknown>;

/** The bytes of a model's arrays and tables, with what the manifest says of each file. */
export function encodeModel(arrays: ModelArrays, tables: ModelTables): EncodedFile[] {
  refuseBigEndian();
  return [...arrayFiles(arrays), ...tableFiles(tables)];
}

/** Writes the files of a version, and its manifest last, into an existing folder, flushed. */
export async function writeModelFiles(
  folder: string,
  manifest: ModelManifest,
  files: readonly EncodedFile[],
): Promise<void> {
  const contents: (readonly [string, Buffer | string])[] = [
    ...files.map(({ description, bytes }) => [description.file, bytes] as const),
    [manifestFile, `${JSON.stringify(manifest, null, 2)}\n`],
  ];
  for (const [file, content] of contents) {
    const path = join(folder, file);
    await writeFile(path, content);
    await syncPath(path);
  }
}

/** The manifest in a version's folder. AppError MODEL_UNAVAILABLE where there is none, or one of another model. */
export async function readManifest(
  folder: string,
  name: ModelName,
  version: ModelVersion,
): Promise<ModelManifest> {
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

/**
 * Every file of a version, checked against its manifest. AppError MODEL_UNAVAILABLE, naming the file, where one is missing or
 * not as it was written.
 */
export async function readModelFiles(
  folder: string,
  { files }: Pick<ModelManifest, 'files'>,
): Promise<{ arrays: ModelArrays; tables: ModelTables }> {
  refuseBigEndian();
  const arrays: ModelArrays = {};
  const tables: ModelTables = {};
  for (const entry of files) {
    const bytes = await readChecked(folder, entry);
    const key = entry.file.replace(/\.(bin|json)$/, '');
    if (entry.arrayType === undefined) tables[key] = JSON.parse(bytes.toString('utf8'));
    else arrays[key] = toArray(bytes, entry.arrayType);
  }
  return { arrays, tables };
}

function arrayFiles(arrays: ModelArrays): EncodedFile[] {
  return Object.entries(arrays).map(([key, array]) => {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    return { description: describeFile(`${key}.bin`, bytes, arrayTypeOf(array)), bytes };
  });
}

function tableFiles(tables: ModelTables): EncodedFile[] {
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
