/**
 * A page that is ready but for what changes by the minute: the ranked candidates of a customer in a scenario, with why each of
 * them is there. Making it costs a scan of the catalogue; it is kept beside the customer's record for as long as neither that
 * nor the model changes, so that the next page view only filters, arranges and words it.
 */
import { BinaryReader, BinaryWriter } from '../../features/binary.ts';
import type { Evidence } from './reasons.ts';
import { SOURCES, type Source } from './scenarios.ts';

/** What a source added to the score of an item, and what it can say for itself. */
export type PreparedVoice = { source: Source; share: number; evidence: Omit<Evidence, 'category'> };

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
  }
  return writer.finish();
}

/** undefined: not whole, or of another model than `itemIds` is. */
export function decodePage(bytes: Buffer, at: number, itemIds: readonly string[]): PreparedPage | undefined {
  try {
    return readPage(new BinaryReader(bytes, at), itemIds);
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}

function readPage(reader: BinaryReader, itemIds: readonly string[]): PreparedPage {
  const item = () => {
    const index = reader.varint();
    if (index === 0) return reader.text();
    const itemId = itemIds[index - 1];
    if (itemId === undefined) throw new RangeError('an item that the model does not have');
    return itemId;
  };
  const isCut = reader.varint() === 1;
  const pageSegment = reader.text();
  const size = reader.varint();
  const direction = size === 0 ? undefined : new Float32Array(size);
  for (let f = 0; f < size; f++) direction![f] = reader.float32();
  const categories = listOf(reader.varint(), () => reader.text());
  const bought = listOf(reader.varint(), () => reader.text());
  const items = listOf(reader.varint(), (): PreparedItem => {
    const itemId = item();
    const score = reader.float32();
    const voices = listOf(reader.varint(), (): PreparedVoice => {
      const source = SOURCES[reader.varint()];
      if (source === undefined) throw new RangeError('a source that there is not');
      const share = reader.float32();
      const flags = reader.varint();
      const segment = flags & hasSegment ? pageSegment : '';
      const evidence: PreparedVoice['evidence'] = { segment };
      if (flags & hasBecause) evidence.because = item();
      if (flags & hasGap)
        evidence.usualGap = { days: reader.float32(), personal: (flags & isPersonal) !== 0 };
      if (flags & isRising) evidence.isRising = true;
      return { source, share, evidence };
    });
    if (voices.length === 0) throw new RangeError('an item without a voice');
    return { itemId, score, voices };
  });
  if (!reader.atEnd) throw new RangeError('more than a page');
  return { items, isCut, direction, categories, bought, segment: pageSegment };
}

function listOf<T>(length: number, read: () => T): T[] {
  const list: T[] = [];
  for (let n = 0; n < length; n++) list.push(read());
  return list;
}
