/** What each customer of a batch could have, and gets, on disk: a list of a million is read again and again, and is not to be held. */
import { type FileHandle, open } from 'node:fs/promises';
import type { WantedBlock } from './share-budgets.ts';

/** A customer's candidates, best first: positions among the offers, and their values in minor units, above 0. */
export type Wanted = { offer: number; value: number };

/** Beside those that a customer may have: what she would have instead, where others have these. */
const spareCandidates = 5;

/** Places for candidates of a customer in the file: an even number, so that all values lie where typed arrays can read them. */
export function candidateWidth(limit: number): number {
  return 2 * Math.ceil((limit + spareCandidates) / 2);
}

const valueBytes = 4;
const offerBytes = 2;

/** Of a customer: first the values (0 = no further one), then the offers. */
export function customerBytes(width: number): number {
  return width * (valueBytes + offerBytes);
}

export function encodeWanted(lists: readonly (readonly Wanted[])[], width: number): Uint8Array {
  const bytes = new Uint8Array(lists.length * customerBytes(width));
  const block = blockOf(bytes, width);
  lists.forEach((wanted, row) => {
    wanted.slice(0, width).forEach(({ offer, value }, w) => {
      block.values[row * block.valueStride + w] = value;
      block.offers[block.offersAt + row * block.offerStride + w] = offer + 1;
    });
  });
  return bytes;
}

/** A view of whole customers; `bytes` begins at a multiple of four in its buffer. */
export function blockOf(bytes: Uint8Array, width: number): WantedBlock {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    customers: byteLength / customerBytes(width),
    width,
    values: new Float32Array(buffer, byteOffset, byteLength / valueBytes),
    valueStride: customerBytes(width) / valueBytes,
    offers: new Uint16Array(buffer, byteOffset, byteLength / offerBytes),
    offersAt: (width * valueBytes) / offerBytes,
    offerStride: customerBytes(width) / offerBytes,
  };
}

/** Read at once: a million customers are some thirty blocks. */
const blockCustomers = 32_768;

/** All customers of the file, from the start. A block is good until the next one is asked for. */
export async function* readBlocks(path: string, width: number): AsyncGenerator<WantedBlock> {
  const bytes = new Uint8Array(blockCustomers * customerBytes(width));
  const file = await open(path, 'r');
  try {
    for (let at = 0; ; ) {
      const length = await fill(file, bytes, at);
      if (length === 0) return;
      yield blockOf(bytes.subarray(0, length), width);
      at += length;
    }
  } finally {
    await file.close();
  }
}

/** As much as there is: a read may end short of what was asked for. */
async function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

export function openShares(path: string): Promise<FileHandle> {
  return open(path, 'r');
}

/** Of `count` customers from the one at `first`: for each `limit` positions + 1 (0 = no further one). */
export async function sharesOf(
  file: FileHandle,
  first: number,
  count: number,
  limit: number,
): Promise<Uint16Array> {
  const shares = new Uint16Array(count * limit);
  const bytes = new Uint8Array(shares.buffer);
  const length = await fill(file, bytes, first * limit * shares.BYTES_PER_ELEMENT);
  if (length < bytes.length) throw new Error('the file of shares ends too soon');
  return shares;
}
