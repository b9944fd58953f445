/** The files that a command names: what they are, and which columns they have. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { pathPattern, sqlText } from '../lake.ts';
import { parseCsvHeader } from './csv-header.ts';

export const ENCODINGS = ['utf-8', 'latin-1', 'utf-16'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export type InputFile = {
  /** As the person wrote it. */
  path: string;
  bytes: number;
  compressed: boolean;
} & (
  | { format: 'csv'; columns: string[]; delimiter: string; headerLines: number; encoding: Encoding }
  | { format: 'ndjson'; columns: string[] }
  | { format: 'parquet'; columns: string[] }
);

const FORMATS: Readonly<Record<string, InputFile['format']>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  parquet: 'parquet',
};

/** Bytes of a file's beginning that must hold the header. */
const headBytes = 256 * 1024;

/**
 * Opens what a command names; a folder stands for the readable files in it, or for those of them that `isUsual` names
 * where there are some. Throws a UsageError that says what to do.
 */
export async function openInputs(
  paths: readonly string[],
  encoding: Encoding,
  connection: DuckDBConnection,
  isUsual: (name: string) => boolean = () => true,
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((err: NodeJS.ErrnoException) => {
      throw new UsageError(
        err.code === 'ENOENT'
          ? `There is no file ${path}. Check the name.`
          : `${path} cannot be read (${err.code ?? err.message}). Check its permissions.`,
      );
    });
    if (!found.isDirectory()) {
      files.push(await openInput(path, found.size, encoding, connection));
      continue;
    }
    const inside = (await readdir(path)).sort().filter((name) => formatOf(name) !== undefined);
    if (inside.length === 0)
      throw new UsageError(`The folder ${path} has no .csv, .ndjson or .parquet files (or .gz of them).`);
    const usual = inside.filter(isUsual);
    for (const name of usual.length > 0 ? usual : inside) {
      const child = join(path, name);
      const { size } = await stat(child);
      files.push(await openInput(child, size, encoding, connection));
    }
  }
  return files;
}

function formatOf(path: string): InputFile['format'] | undefined {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  return FORMATS[name.slice(name.lastIndexOf('.') + 1)];
}

async function openInput(
  path: string,
  bytes: number,
  encoding: Encoding,
  connection: DuckDBConnection,
): Promise<InputFile> {
  const format = formatOf(path);
  if (format === undefined)
    throw new UsageError(
      `${path} is of no type that is read here. Give it the ending .csv, .tsv, .ndjson or .parquet, with .gz where it is compressed.`,
    );
  const compressed = path.toLowerCase().endsWith('.gz');
  if (format === 'parquet') {
    if (compressed) throw new UsageError(`${path}: Parquet is compressed by itself. Unpack the .gz first.`);
    return { path, bytes, compressed, format, columns: await parquetColumns(path, connection) };
  }
  const head = await readHead(path, compressed);
  if (format === 'ndjson') return { path, bytes, compressed, format, columns: jsonColumns(head.toString()) };
  const text = new TextDecoder(
    encoding === 'latin-1' ? 'windows-1252' : encoding === 'utf-16' ? utf16(head) : 'utf-8',
  ).decode(head);
  const header = parseCsvHeader(text);
  if (header === undefined) throw new UsageError(`${path} is empty. Its first line must name the columns.`);
  return {
    path,
    bytes,
    compressed,
    format,
    columns: header.columns,
    delimiter: header.delimiter,
    headerLines: header.lines,
    encoding,
  };
}

function utf16(head: Buffer): string {
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-16le';
}

async function readHead(path: string, compressed: boolean): Promise<Buffer> {
  const file = createReadStream(path, { highWaterMark: 64 * 1024 });
  const stream = compressed ? file.pipe(createGunzip()) : file;
  // Errors of the file do not travel through a pipe.
  file.on('error', (err) => stream.destroy(err));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= headBytes) break;
    }
  } catch (err) {
    throw new UsageError(
      `${path} cannot be read (${err instanceof Error ? err.message : String(err)}). ` +
        (compressed ? 'Is it complete, and really compressed with gzip?' : 'Check its permissions.'),
    );
  } finally {
    file.destroy();
  }
  return Buffer.concat(chunks);
}

/** The keys of the first objects of an NDJSON file. */
function jsonColumns(head: string): string[] {
  const keys = new Set<string>();
  for (const line of head
    .replace(/^\uFEFF/, '')
    .split('\n')
    .slice(0, 100)) {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) for (const key of Object.keys(value)) keys.add(key);
    } catch {
      // A broken line (or the one that the sample cuts off) is counted when the file is read.
    }
  }
  return [...keys];
}

async function parquetColumns(path: string, connection: DuckDBConnection): Promise<string[]> {
  try {
    const reader = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet(${sqlText(pathPattern(path))}, hive_partitioning = false)`,
    );
    return reader.getRowObjectsJson().map((row) => String(row.column_name));
  } catch (err) {
    throw new UsageError(`${path} is no Parquet file (${err instanceof Error ? err.message : String(err)}).`);
  }
}

/** SQL that reads a file as it is, for `FROM`: columns of CSV as text, those of the others as they come. */
export function inputSql(file: InputFile): string {
  const path = sqlText(pathPattern(file.path));
  if (file.format === 'parquet') return `read_parquet(${path}, hive_partitioning = false)`;
  if (file.format === 'ndjson')
    return `read_json(${path}, format = 'newline_delimited', records = true, hive_partitioning = false)`;
  return `read_csv(${path}, all_varchar = true, header = true, delim = ${sqlText(file.delimiter)}, quote = '"', escape = '"', skip = ${file.headerLines - 1}, hive_partitioning = false)`;
}
