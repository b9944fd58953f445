/**
 * A page that is ready but for what changes by the minute: the ranked candidates of a customer in a scenario, with why each of
 * them is there. Making it costs a scan of the catalogue; it is kept beside the customer's record for as long as neither that
 * nor the model changes, so that the next page view only filters, arranges and words it.
 */
import { crc32 } from 'node:zlib';
import { BinaryReader, BinaryWriter } from '../../features/binary.ts';
import type { Evidence } from './reasons.ts';
import { SOURCES, type Source } from './scenarios.ts';

/** What a source added to the score of an item, and what it can say for itself. */
export type PreparedVoice = { source: Source; share: number; evidence: Evidence };

export type PreparedItem = {
  itemId: string;
  score: number;
  /** Largest share first, at least one. */
  voices: readonly PreparedVoice[];
};

export type PreparedPage = {
  /** Best first. */
  items: readonly PreparedItem[];
  /** There are more than these: a filter that leaves too few of them must have the page made anew. */
  isCut: boolean;
  /** Direction in which new items are sought, and the categories in which; undefined: no taste is known. */
  direction: Float32Array | undefined;
  categories: readonly string[];
  /** What the customer has bought of the items that the scenario pins, and of new ones. */
  bought: readonly string[];
  /** Market whose popularity filled up. */
  segment: string;
};

/** Of the layout below: another layout is a miss. */
export const PREPARED_LAYOUT = 1;

const checksumBytes = 4;

const hasBecause = 1;
const hasGap = 2;
const isPersonal = 4;
const isRising = 8;
const hasSegment = 16;

/** Items and what led to them are named once each: `nameOf` tells ids that the model has by its index, others by text. */
export function encodePage(page: PreparedPage, itemIndex: ReadonlyMap<string, number>): Buffer {
  const writer = new BinaryWriter();
  const item = (itemId: string) => {
    const index = itemIndex.get(itemId);
    writer.varint(index === undefined ? 0 : index + 1);
    if (index === undefined) writer.text(itemId);
  };
  writer.varint(page.isCut ? 1 : 0);
  writer.text(page.segment);
  writer.varint(page.direction?.length ?? 0);
  for (const value of page.direction ?? []) writer.float32(value);
  writer.varint(page.categories.length);
  for (const category of page.categories) writer.text(category);
  writer.varint(page.bought.length);
  for (const itemId of page.bought) writer.text(itemId);
  writer.varint(page.items.length);
  for (const { itemId, score, voices } of page.items) {
    item(itemId);
    writer.float32(score);
    // So that the voices of what is not shown need not be read.
    const lengthAt = writer.reserveUint16();
    writer.varint(voices.length);
    for (const { source, share, evidence } of voices) {
      const { because, usualGap, segment } = evidence;
      writer.varint(SOURCES.indexOf(source));
      writer.float32(share);
      writer.varint(
        (because === undefined ? 0 : hasBecause) +
          (usualGap === undefined ? 0 : hasGap + (usualGap.personal ? isPersonal : 0)) +
          (evidence.isRising ? isRising : 0) +
          (segment === '' ? 0 : hasSegment),
      );
      if (because !== undefined) item(because);
      if (usualGap !== undefined) writer.float32(usualGap.days);
    }
    writer.fillUint16(lengthAt);
  }
  const bytes = writer.finish();
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, checksum]);
}

/** undefined: not whole, or of another model than `itemIds` is. */
export function decodePage(bytes: Buffer, at: number, itemIds: readonly string[]): PreparedPage | undefined {
  const end = bytes.length - checksumBytes;
  if (end < at || crc32(bytes.subarray(at, end)) !== bytes.readUInt32LE(end)) return undefined;
  try {
    return readPage(new BinaryReader(bytes, at, end), itemIds);
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}

type ItemReader = (reader: BinaryReader) => string;

function readPage(reader: BinaryReader, itemIds: readonly string[]): PreparedPage {
  const readItem: ItemReader = (from) => {
    const index = from.varint();
    if (index === 0) return from.text();
    const itemId = itemIds[index - 1];
    if (itemId === undefined) throw new RangeError('an item that the model does not have');
    return itemId;
  };
  const isCut = reader.varint() === 1;
  const segment = reader.text();
  const size = reader.varint();
  const direction = size === 0 ? undefined : new Float32Array(size);
  for (let f = 0; f < size; f++) direction![f] = reader.float32();
  const categories = listOf(reader.varint(), () => reader.text());
  const bought = listOf(reader.varint(), () => reader.text());
  const items = listOf(
    reader.varint(),
    () => new KeptItem(readItem(reader), reader.float32(), reader.part(reader.uint16()), segment, readItem),
  );
  if (!reader.atEnd) throw new RangeError('more than a page');
  return { items, isCut, direction, categories, bought, segment };
}

/** An item of a kept page, whose voices are read when they are asked for: two in three are never shown. */
class KeptItem implements PreparedItem {
  readonly itemId: string;
  readonly score: number;
  #voices: PreparedVoice[] | undefined;
  readonly #bytes: BinaryReader;
  readonly #segment: string;
  readonly #readItem: ItemReader;

  constructor(itemId: string, score: number, bytes: BinaryReader, segment: string, readItem: ItemReader) {
    this.itemId = itemId;
    this.score = score;
    this.#bytes = bytes;
    this.#segment = segment;
    this.#readItem = readItem;
  }

  get voices(): readonly PreparedVoice[] {
    this.#voices ??= readVoices(this.#bytes, this.#segment, this.#readItem);
    return this.#voices;
  }
}

function readVoices(reader: BinaryReader, pageSegment: string, readItem: ItemReader): PreparedVoice[] {
  return listOf(reader.varint(), (): PreparedVoice => {
    const source = SOURCES[reader.varint()];
    if (source === undefined) throw new RangeError('a source that there is not');
    const share = reader.float32();
    const flags = reader.varint();
    const because = flags & hasBecause ? readItem(reader) : undefined;
    const usualGap =
      flags & hasGap ? { days: reader.float32(), personal: (flags & isPersonal) !== 0 } : undefined;
    const segment = flags & hasSegment ? pageSegment : '';
    return { source, share, evidence: { because, usualGap, segment, isRising: (flags & isRising) !== 0 } };
  });
}

function listOf<T>(length: number, read: () => T): T[] {
  const list: T[] = [];
  for (let n = 0; n < length; n++) list.push(read());
  return list;
}
