/**
 * Looks through a text file byte by byte before DuckDB reads it: how many rows there must be, and whether DuckDB would
 * misread it. Its CSV reader drops a line of some 30 MB without a word, swallows the character after a lone carriage
 * return, and takes a gzip file that breaks off for one that ends there. Half a log imported would look like success.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../../domain/errors.ts';
import type { InputFile } from './input-file.ts';

export type TextFile = Extract<InputFile, { format: 'csv' | 'ndjson' }>;

export type ScannedText = {
  /** Lines after the header that hold more than spaces. */
  lines: number;
  /** DuckDB would read something else: it is to be given `copyPlainly`'s copy. */
  needsCopy: boolean;
};

/** Share of the file's bytes that were looked through, and the lines found in them. */
export type OnScan = (share: number, lines: number) => void;

const [LF, CR, SPACE] = [0x0a, 0x0d, 0x20];
/** What `readLines` makes DuckDB split columns at. */
const UNIT_SEPARATOR = 0x1f;
const maxLineBytes = 16 * 1024 * 1024;
const chunkBytes = 1 << 20;

/** Throws a UsageError where the file cannot be read to its end or has a line of more than 16 MB. */
export async function scanText(file: TextFile, onScan: OnScan = () => {}): Promise<ScannedText> {
  const headerLines = file.format === 'csv' ? file.headerLines : 0;
  let [lines, line, lineBytes] = [0, 1, 0];
  let [hasText, afterCr] = [false, false];
  let [lf, crLf, cr, separator] = [false, false, false, false];
  const endLine = () => {
    if (hasText && line > headerLines) lines += 1;
    line += 1;
    lineBytes = 0;
    hasText = false;
  };
  for await (const { bytes, share } of textChunks(file)) {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LF) {
        if (afterCr) crLf = true;
        else {
          lf = true;
          endLine();
        }
        afterCr = false;
        continue;
      }
      if (afterCr) cr = true;
      afterCr = byte === CR;
      if (afterCr) endLine();
      else {
        lineBytes += 1;
        if (byte !== SPACE) hasText = true;
        if (byte === UNIT_SEPARATOR) separator = true;
      }
    }
    if (lineBytes > maxLineBytes)
      throw new UsageError(
        `${file.path}: line ${line} is longer than ${maxLineBytes / 1024 / 1024} MB. Is the file text, one record a line? Mend or remove that line.`,
      );
    onScan(share, lines);
  }
  endLine();
  return { lines, needsCopy: cr || (lf && crLf) || separator || isUtf16(file) };
}

/** Writes the text anew as DuckDB reads it rightly: every line ends in a line feed, UTF-16 becomes UTF-8. */
export async function copyPlainly(file: TextFile, to: string): Promise<void> {
  await pipeline(async function* () {
    let afterCr = false;
    for await (const { bytes } of textChunks(file)) {
      const copy = Buffer.allocUnsafe(bytes.length);
      let length = 0;
      for (const byte of bytes) {
        // A control character it stays, and one that no id may hold.
        if (byte !== LF || !afterCr) copy[length++] = byte === CR ? LF : byte === UNIT_SEPARATOR ? 1 : byte;
        afterCr = byte === CR;
      }
      yield copy.subarray(0, length);
    }
  }, createWriteStream(to));
}

function isUtf16(file: TextFile): boolean {
  return file.format === 'csv' && file.encoding === 'utf-16';
}

/** The text's bytes: unpacked, UTF-16 as UTF-8, without a byte order mark. */
async function* textChunks(file: TextFile): AsyncGenerator<{ bytes: Uint8Array; share: number }> {
  const source = createReadStream(file.path, { highWaterMark: chunkBytes });
  const stream = file.compressed ? source.pipe(createGunzip({ chunkSize: chunkBytes })) : source;
  // Errors of the file do not travel through a pipe.
  source.on('error', (err) => stream.destroy(err));
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let isFirst = true;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let bytes: Uint8Array = chunk;
      if (isUtf16(file)) {
        decoder ??= new TextDecoder(chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : 'utf-16le');
        bytes = Buffer.from(decoder.decode(chunk, { stream: true }));
      } else if (isFirst && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf)
        bytes = chunk.subarray(3);
      isFirst = false;
      yield { bytes, share: source.bytesRead / Math.max(1, file.bytes) };
    }
  } catch (err) {
    throw new UsageError(
      `${file.path} cannot be read to its end (${err instanceof Error ? err.message : String(err)}). Is it complete? Fetch it again.`,
    );
  } finally {
    source.destroy();
  }
}
