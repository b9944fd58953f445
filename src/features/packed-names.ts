/**
 * Names of categories in some three fifths of their bytes: letters that such names have most take four bits, the others eight or twelve.
 * That they are in no table which records share keeps a record readable by itself, wherever it is read.
 *
 * Layout: varint 2·n + packed, n names; then each name as text, where that is no longer, or half bytes, the lower half first:
 *
 *   0        the name's end
 *   1 … 12   a letter of `common`
 *   13, 14   the next half tells which of `others`: its first or its second sixteen
 *   15       the next two halves are a byte of UTF-8
 *
 * A word begins with a capital, as a rule: case is told as where a word's first letter was of the other.
 */
import type { BinaryReader, BinaryWriter } from './binary.ts';

const common = 'esariotn lcd';
const others = "hugpmbkfywv&-,'xzjq0123456789./(";

const end = 0;
const firstOthers = 13;
const asByte = 15;

/** By byte: the halves that say it, the first of them in the lower bits; and how many there are. */
const codes = new Uint16Array(256);
const lengths = new Uint8Array(256).fill(3);
for (let byte = 0; byte < 256; byte++) codes[byte] = asByte | (byte << 4);
for (let n = 0; n < common.length; n++) {
  codes[common.charCodeAt(n)] = n + 1;
  lengths[common.charCodeAt(n)] = 1;
}
for (let n = 0; n < others.length; n++) {
  codes[others.charCodeAt(n)] = (firstOthers + (n >> 4)) | ((n & 15) << 4);
  lengths[others.charCodeAt(n)] = 2;
}

const space = 0x20;
const caseBit = 0x20;

/** The byte with the other case, where it is an ASCII letter that begins a word. */
function turned(byte: number, before: number): number {
  const lower = byte | caseBit;
  return before === space && lower >= 0x61 && lower <= 0x7a ? byte ^ caseBit : byte;
}

export function writeNames(writer: BinaryWriter, names: readonly string[]): void {
  const texts = names.map((name) => Buffer.from(name));
  const halves: number[] = [];
  let plainBytes = 0;
  for (const text of texts) {
    plainBytes += 1 + text.length;
    let before = space;
    for (const byte of text) {
      const symbol = turned(byte, before);
      let code = codes[symbol] ?? 0;
      for (let n = lengths[symbol] ?? 0; n > 0; n--) {
        halves.push(code & 15);
        code >>= 4;
      }
      before = byte;
    }
    halves.push(end);
  }
  const isPacked = (halves.length + 1) >> 1 < plainBytes;
  writer.varint(2 * names.length + (isPacked ? 1 : 0));
  if (!isPacked) for (const name of names) writer.text(name);
  else {
    const bytes = new Uint8Array((halves.length + 1) >> 1);
    for (const [n, half] of halves.entries()) bytes[n >> 1] = (bytes[n >> 1] ?? 0) | (half << (4 * (n & 1)));
    writer.bytes(bytes);
  }
}

export function readNames(reader: BinaryReader): string[] {
  const token = reader.varint();
  const names: string[] = [];
  let upper = -1;
  const half = (): number => {
    if (upper !== -1) {
      const value = upper;
      upper = -1;
      return value;
    }
    const byte = reader.byte();
    upper = byte >> 4;
    return byte & 15;
  };
  for (let n = Math.floor(token / 2); n > 0; n--)
    names.push(token % 2 === 0 ? reader.text() : readName(half));
  return names;
}

let scratch = Buffer.alloc(256);

function readName(half: () => number): string {
  let length = 0;
  let before = space;
  for (let code = half(); code !== end; code = half()) {
    const symbol =
      code < firstOthers
        ? common.charCodeAt(code - 1)
        : code < asByte
          ? others.charCodeAt(16 * (code - firstOthers) + half())
          : half() | (half() << 4);
    before = turned(symbol, before);
    if (length === scratch.length) scratch = Buffer.concat([scratch, Buffer.alloc(length)]);
    scratch[length++] = before;
  }
  return scratch.toString('utf8', 0, length);
}
