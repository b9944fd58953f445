/**
 * The record as bytes, exactly and as few as may be: a million customers are to fit into half a gigabyte. Layout, all little
 * endian:
 *
 *   0   uint48, uint32   appliedThrough: milliseconds and sequence of the stream id. Lua scripts read them (`streamIdLua`).
 *   10  uint32           CRC-32 of everything before and after it
 *   14  uint32           feature schema, which also names this layout: a record of another is absent, and is rebuilt
 *   18  varints          events, last event
 *       times            the instants that what follows tells by their places (`packed-times.ts`)
 *       shapes           of the ids that follow (`packed-ids.ts`)
 *       state            `packed-state.ts`, then the last ids, attributes, and the variable parts
 */
import { crc32 } from 'node:zlib';
import { CHANNELS, LOYALTY_TIERS } from '../domain/channel.ts';
import type { Consent, CustomerAttributes } from '../domain/customer.ts';
import type { ItemId, OfferId } from '../domain/ids.ts';
import { streamIdParts } from '../domain/stream-id.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';
import { IdReader, IdWriter } from './packed-ids.ts';
import { readNames, writeNames } from './packed-names.ts';
import { isTime, readNumber, readState, stateBytesMin, writeNumber, writeState } from './packed-state.ts';
import { TimeReader, TimeWriter } from './packed-times.ts';
import { type CustomerRecord, recordWithState } from './record.ts';
import { RECORD_SCHEMA, STATE_LENGTH } from './registry.ts';

const schemaNumber = Number.parseInt(RECORD_SCHEMA, 16);
const sequenceAt = 6;
const checksumAt = 10;
const schemaAt = 14;
const headerBytes = 18;
export const stampBytes = schemaAt;

/**
 * For a script: sets what the record of this header was applied through, as `ms` and `sequence`. Its first `streamIdBytes` are
 * enough. In pieces of 32 bits: a Redis built for as many, as the one in WebAssembly is, drops what is above them.
 */
export const streamIdLua = (header: string) => `
  local low, high, sequence = struct.unpack('<I4I2I4', ${header})
  local ms = high * 4294967296 + low`;
export const streamIdBytes = checksumAt;

export type DecodedRecord =
  | { ok: true; record: CustomerRecord }
  /** To be treated as absent, and counted. */
  | { ok: false; reason: 'too-short' | 'checksum' | 'schema' | 'layout' };

export function encodeRecord(record: CustomerRecord): Buffer {
  const writer = new BinaryWriter();
  const { lastAt } = record;
  const [ms, sequence] = streamIdParts(record.appliedThrough);
  writer.uint48(ms);
  writer.uint32(sequence);
  writer.uint32(0);
  writer.uint32(schemaNumber);
  writer.varint(record.eventCount);
  // NEVER is −1.
  writer.varint(lastAt + 1);
  const { times, ids } = meetAll(record);
  times.writeTable(writer);
  ids.writeShapes(writer);
  const number = (value: number) => writeNumber(writer, value, times, lastAt);
  number(record.firstAt);
  writeState(writer, record.state, number);
  ids.write(writer, record.lastEventId);
  ids.write(writer, record.lastOrderId);
  writeAttributes(writer, record.attributes);
  const categoryIndex = writeCategoryNames(writer, record);
  writer.varint(record.items.size);
  for (const item of record.items.values()) {
    ids.write(writer, item.itemId);
    ids.remember(item.itemId);
    const isOnce =
      item.purchaseCount === 1 &&
      item.quantity === 1 &&
      item.returnCount === 0 &&
      item.firstAt === item.lastAt;
    writer.varint(2 * (categoryIndex.get(item.category) ?? 0) + (isOnce ? 1 : 0));
    writer.varint(times.placeOf(item.lastAt));
    if (isOnce) continue;
    writer.varint(item.purchaseCount);
    writer.varint(item.quantity);
    writer.varint(item.returnCount);
    writer.varint(times.placeOf(item.firstAt));
  }
  const flagged = (at: number, flag: boolean) => writer.varint(2 * times.placeOf(at) + (flag ? 1 : 0));
  writer.varint(record.recentViews.length);
  for (const view of record.recentViews) {
    ids.write(writer, view.itemId);
    flagged(view.at, view.addedToCart);
  }
  writer.varint(record.categories.length);
  for (const affinity of record.categories) {
    // Their categories are the first of the names, in their order.
    writer.float24(affinity.weight);
    writer.varint(times.placeOf(affinity.at));
  }
  writer.varint(record.offerAnswers.length);
  for (const answer of record.offerAnswers) {
    ids.write(writer, answer.offerId);
    flagged(answer.at, answer.outcome === 'redeemed');
    if (answer.outcome === 'redeemed') ids.write(writer, answer.givenBy ?? '');
  }
  writer.varint(record.ratingLows.length);
  for (const low of record.ratingLows) {
    number(low.rating);
    writer.varint(times.placeOf(low.at));
  }
  const bytes = writer.finish();
  bytes.writeUInt32LE(checksum(bytes), checksumAt);
  return bytes;
}

/** Every time and id of the record, for their tables stand before what names them. */
function meetAll(record: CustomerRecord): { times: TimeWriter; ids: IdWriter } {
  const { lastAt } = record;
  const times = new TimeWriter(lastAt);
  const ids = new IdWriter();
  if (isTime(record.firstAt, lastAt)) times.meet(record.firstAt);
  for (const slot of record.state) if (isTime(slot, lastAt)) times.meet(slot);
  ids.meet(record.lastEventId);
  ids.meet(record.lastOrderId);
  for (const item of record.items.values()) {
    ids.meet(item.itemId);
    times.meet(item.firstAt);
    times.meet(item.lastAt);
  }
  for (const view of record.recentViews) {
    ids.meet(view.itemId);
    times.meet(view.at);
  }
  for (const answer of record.offerAnswers) {
    ids.meet(answer.offerId);
    if (answer.outcome === 'redeemed') ids.meet(answer.givenBy ?? '');
    times.meet(answer.at);
  }
  for (const { at } of record.categories) times.meet(at);
  for (const { at } of record.ratingLows) times.meet(at);
  return { times, ids };
}

export function decodeRecord(bytes: Buffer): DecodedRecord {
  if (bytes.length < headerBytes + stateBytesMin) return { ok: false, reason: 'too-short' };
  if (checksum(bytes) !== bytes.readUInt32LE(checksumAt)) return { ok: false, reason: 'checksum' };
  if (bytes.readUInt32LE(schemaAt) !== schemaNumber) return { ok: false, reason: 'schema' };
  try {
    const reader = new BinaryReader(bytes, headerBytes);
    const record = readRecord(reader);
    record.appliedThrough = `${bytes.readUIntLE(0, sequenceAt)}-${bytes.readUInt32LE(sequenceAt)}`;
    return reader.atEnd ? { ok: true, record } : { ok: false, reason: 'layout' };
  } catch (err) {
    if (err instanceof RangeError) return { ok: false, reason: 'layout' };
    throw err;
  }
}

/** Tells one state of a record from every other without reading it: what it was applied through, and its checksum. */
export function stampOf(bytes: Buffer): Buffer {
  return bytes.subarray(0, stampBytes);
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(schemaAt), crc32(bytes.subarray(0, checksumAt)));
}

function readRecord(reader: BinaryReader): CustomerRecord {
  const eventCount = reader.varint();
  const lastAt = reader.varint() - 1;
  const times = new TimeReader();
  times.readTable(reader, lastAt);
  const ids = new IdReader();
  ids.readShapes(reader);
  const firstAt = readNumber(reader, times);
  const state = new Float64Array(STATE_LENGTH);
  readState(reader, state, () => readNumber(reader, times));
  const record = recordWithState(state);
  record.eventCount = eventCount;
  record.firstAt = firstAt;
  record.lastAt = lastAt;
  record.lastEventId = ids.read(reader);
  record.lastOrderId = ids.read(reader);
  record.attributes = readAttributes(reader);
  const names = readNames(reader);
  const time = () => times.at(reader.varint());
  for (let n = reader.varint(); n > 0; n--) {
    const itemId = ids.read(reader) as ItemId;
    ids.remember(itemId);
    const token = reader.varint();
    const category = names[token >>> 1] ?? '';
    const at = time();
    const item =
      token % 2 === 1
        ? { itemId, category, purchaseCount: 1, quantity: 1, returnCount: 0, firstAt: at, lastAt: at }
        : {
            itemId,
            category,
            purchaseCount: reader.varint(),
            quantity: reader.varint(),
            returnCount: reader.varint(),
            firstAt: time(),
            lastAt: at,
          };
    record.items.set(itemId, item);
  }
  for (let n = reader.varint(); n > 0; n--) {
    const itemId = ids.read(reader) as ItemId;
    const token = reader.varint();
    record.recentViews.push({ itemId, at: times.at(token >>> 1), addedToCart: token % 2 === 1 });
  }
  for (let n = 0, count = reader.varint(); n < count; n++)
    record.categories.push({ category: names[n] ?? '', weight: reader.float24(), at: time() });
  for (let n = reader.varint(); n > 0; n--) {
    const offerId = ids.read(reader) as OfferId;
    const token = reader.varint();
    const at = times.at(token >>> 1);
    record.offerAnswers.push(
      token % 2 === 1
        ? { offerId, outcome: 'redeemed', at, givenBy: ids.read(reader) }
        : { offerId, outcome: 'dismissed', at },
    );
  }
  for (let n = reader.varint(); n > 0; n--)
    record.ratingLows.push({ rating: readNumber(reader, times), at: time() });
  return record;
}

/** Names of categories once each, those of the affinities first: a customer's items share a few. Answers where each name stands. */
function writeCategoryNames(writer: BinaryWriter, record: CustomerRecord): Map<string, number> {
  const index = new Map<string, number>();
  for (const { category } of record.categories) if (!index.has(category)) index.set(category, index.size);
  for (const { category } of record.items.values()) if (!index.has(category)) index.set(category, index.size);
  writeNames(writer, [...index.keys()]);
  return index;
}

/** Consent as one digit to the base 3 a channel: 0 unknown, 1 refused, 2 given. Tier, segment and time zone: 0 = absent. */
function writeAttributes(writer: BinaryWriter, attributes: CustomerAttributes): void {
  const { loyaltyTier, consent, segment, timeZone } = attributes;
  writer.varint(loyaltyTier === undefined ? 0 : LOYALTY_TIERS.indexOf(loyaltyTier) + 1);
  writer.varint(consent === undefined ? 0 : 1);
  if (consent !== undefined) {
    let digits = 0;
    for (let c = CHANNELS.length - 1; c >= 0; c--) {
      const given = consent[CHANNELS[c]!];
      digits = digits * 3 + (given === undefined ? 0 : given ? 2 : 1);
    }
    writer.varint(digits);
  }
  writer.varint(segment === undefined ? 0 : 1);
  if (segment !== undefined) writer.text(segment);
  writer.varint(timeZone === undefined ? 0 : 1);
  if (timeZone !== undefined) writer.text(timeZone);
}

function readAttributes(reader: BinaryReader): CustomerAttributes {
  const attributes: CustomerAttributes = {};
  const tier = LOYALTY_TIERS[reader.varint() - 1];
  if (tier !== undefined) attributes.loyaltyTier = tier;
  if (reader.varint() === 1) {
    const consent: Consent = {};
    let digits = reader.varint();
    for (const channel of CHANNELS) {
      const digit = digits % 3;
      if (digit > 0) consent[channel] = digit === 2;
      digits = Math.floor(digits / 3);
    }
    attributes.consent = consent;
  }
  if (reader.varint() === 1) attributes.segment = reader.text();
  if (reader.varint() === 1) attributes.timeZone = reader.text();
  return attributes;
}
