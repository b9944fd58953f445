/** Text files in pieces, gzipped or not as their first bytes tell. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../../domain/errors.ts';

const chunkBytes = 1 << 18;
/** A list of all items of a large catalogue is shorter; what is longer has no lines. */
const longestLine = 1 << 24;
const GZIP_MARK = '1f8b';
const UTF_16_MARKS = ['fffe', 'feff'];

/** The file's text in pieces that end anywhere, without a byte order mark. UsageError where it cannot be read. */
export async function* readText(path: string): AsyncGenerator<string> {
  try {
    const begins = await firstBytes(path);
    if (UTF_16_MARKS.includes(begins))
      throw new UsageError(`${path} cannot be read: it is UTF-16; save it as UTF-8.`);
    const gzipped = begins === GZIP_MARK;
    const source = createReadStream(path, { highWaterMark: chunkBytes });
    const stream = gzipped ? gunzipped(source) : source;
    try {
      let isFirst = true;
      for await (const piece of stream.setEncoding('utf8')) {
        yield isFirst ? withoutMark(piece as string) : (piece as string);
        isFirst = false;
      }
    } finally {
      // A reader that has had enough ends only the last of the two streams.
      source.destroy();
    }
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    if (code === undefined) throw err;
    throw new UsageError(`${path} cannot be read: ${reasonOf(code, message)}`, { cause: err });
  }
}

function gunzipped(source: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  source.on('error', (err) => gunzip.destroy(err));
  return source.pipe(gunzip);
}

/**
 * The file's lines, many at a time, with the number of the first of them (from 1). Line ends (LF, CR LF or CR) are not in them.
 */
export async function* readLines(path: string): AsyncGenerator<{ lines: string[]; first: number }> {
  let rest = '';
  let first = 1;
  for await (const piece of readText(path)) {
    const text = rest + piece;
    // Only the next piece tells whether this is half a line end.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + text.slice(end);
    if (rest.length > longestLine)
      throw new UsageError(
        `${path}, line ${first + lines.length} is longer than ${longestLine.toLocaleString('en')} characters: is it a text file with line ends?`,
      );
    if (lines.length > 0) yield { lines, first };
    first += lines.length;
  }
  const last = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
  if (last !== '') yield { lines: [last], first };
}

/** Spreadsheets put a byte order mark before the text. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The first two, in hexadecimal. */
async function firstBytes(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('hex', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function reasonOf(code: string, message: string): string {
  if (code === 'ENOENT') return 'there is no such file.';
  if (code === 'EACCES') return 'this user may not read it.';
  if (code === 'EISDIR') return 'it is a folder; name a file in it.';
  if (code.startsWith('Z_')) return `it begins like a gzip file but is damaged or cut off (${message}).`;
  return message;
}
