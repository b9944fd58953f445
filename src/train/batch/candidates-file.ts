/** What each customer of a batch could have, on disk: a list of a million is read again and again, and is not to be held. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { candidatesMax } from './batch-deciding.ts';
import type { Wanted } from './share-budgets.ts';

/** A customer has room for `candidatesMax` of an offer's position + 1 (0 = none) and the value in single precision. */
const candidateBytes = 6;
export const customerBytes = candidatesMax * candidateBytes;

export function encodeWanted(lists: readonly (readonly Wanted[])[]): Buffer {
  const bytes = Buffer.alloc(lists.length * customerBytes);
  lists.forEach((wanted, n) => {
    wanted.slice(0, candidatesMax).forEach(({ offer, value }, w) => {
      const at = n * customerBytes + w * candidateBytes;
      bytes.writeUInt16LE(offer + 1, at);
      bytes.writeFloatLE(value, at + 2);
    });
  });
  return bytes;
}

export function decodeWanted(bytes: Buffer): Wanted[][] {
  const lists: Wanted[][] = [];
  for (let start = 0; start + customerBytes <= bytes.length; start += customerBytes) {
    const wanted: Wanted[] = [];
    for (let at = start; at < start + customerBytes; at += candidateBytes) {
      const offer = bytes.readUInt16LE(at);
      if (offer === 0) break;
      wanted.push({ offer: offer - 1, value: bytes.readFloatLE(at + 2) });
    }
    lists.push(wanted);
  }
  return lists;
}

/** All lists of the file, from the start. */
export async function* readWanted(path: string): AsyncGenerator<Wanted[]> {
  const stream = createReadStream(path, { highWaterMark: customerBytes * 4096 });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % customerBytes);
    yield* decodeWanted(bytes.subarray(0, whole));
    rest = bytes.subarray(whole);
  }
}

export function openShares(path: string): Promise<FileHandle> {
  return open(path, 'r');
}

const shareBytes = 2;

/** What a customer gets, after `shareOut`: 0 = as she likes, 1 = nothing, else the offer's position + 2. */
export async function* encodeShares(shares: AsyncIterable<number | undefined>): AsyncGenerator<Buffer> {
  const atOnce = 32_768;
  let bytes = Buffer.alloc(atOnce * shareBytes);
  let length = 0;
  for await (const share of shares) {
    bytes.writeUInt16LE(share === undefined ? 0 : share + 2, length);
    length += shareBytes;
    if (length < bytes.length) continue;
    yield bytes;
    bytes = Buffer.alloc(atOnce * shareBytes);
    length = 0;
  }
  yield bytes.subarray(0, length);
}

/** Of `count` customers from the one at `first`: the offer's position, −1 = nothing, undefined = as she likes. */
export async function sharesOf(
  file: FileHandle,
  first: number,
  count: number,
): Promise<(number | undefined)[]> {
  const bytes = Buffer.alloc(count * shareBytes);
  await file.read(bytes, 0, bytes.length, first * shareBytes);
  return Array.from({ length: count }, (_, n) => {
    const code = bytes.readUInt16LE(n * shareBytes);
    return code === 0 ? undefined : code - 2;
  });
}
