/**
 * The record as bytes. Layout, all little endian:
 *
 *   0   float64 × 2   appliedThrough: milliseconds and sequence of the stream id. Lua scripts read them.
 *   16  uint32        CRC-32 of everything before and after it
 *   20  uint32        feature schema
 *   24                state, then the variable parts: varints, UTF-8 texts; times as distances from the last event
 */
import { crc32 } from 'node:zlib';
import { CHANNELS, LOYALTY_TIERS } from '../domain/channel.ts';
import type { Consent, CustomerAttributes } from '../domain/customer.ts';
import type { ItemId, OfferId } from '../domain/ids.ts';
import { streamIdParts } from '../domain/stream-id.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';
import { type CustomerRecord, recordWithState } from './record.ts';
import { FEATURE_SCHEMA, STATE_LENGTH } from './registry.ts';

const schemaNumber = Number.parseInt(FEATURE_SCHEMA, 16);
const checksumAt = 16;
const schemaAt = 20;
const headerBytes = 24;
export const stampBytes = schemaAt;

export type DecodedRecord =
  | { ok: true; record: CustomerRecord }
  /** To be treated as absent, and counted. */
  | { ok: false; reason: 'too-short' | 'checksum' | 'schema' | 'layout' };

export function encodeRecord(record: CustomerRecord): Buffer {
  const writer = new BinaryWriter();
  const [ms, sequence] = streamIdParts(record.appliedThrough);
  writer.float64(ms);
  writer.float64(sequence);
  writer.uint32(0);
  writer.uint32(schemaNumber);
  for (const slot of record.state) writer.float64(slot);
  writer.varint(record.eventCount);
  // NEVER is −1.
  writer.varint(record.firstAt + 1);
  writer.varint(record.lastAt + 1);
  writer.text(record.lastEventId);
  writer.text(record.lastOrderId);
  writeAttributes(writer, record.attributes);
  const categoryIndex = writeCategoryNames(writer, record);
  const ago = (at: number) => writer.varint(record.lastAt - at);
  writer.varint(record.items.size);
  for (const item of record.items.values()) {
    writer.text(item.itemId);
    writer.varint(categoryIndex.get(item.category) ?? 0);
    writer.varint(item.purchaseCount);
    writer.varint(item.quantity);
    writer.varint(item.returnCount);
    ago(item.firstAt);
    ago(item.lastAt);
  }
  writer.varint(record.recentViews.length);
  for (const view of record.recentViews) {
    writer.text(view.itemId);
    ago(view.at);
    writer.varint(view.addedToCart ? 1 : 0);
  }
  writer.varint(record.categories.length);
  for (const affinity of record.categories) {
    writer.varint(categoryIndex.get(affinity.category) ?? 0);
    writer.float64(affinity.weight);
    ago(affinity.at);
  }
  writer.varint(record.offerAnswers.length);
  for (const answer of record.offerAnswers) {
    writer.text(answer.offerId);
    writer.varint(answer.outcome === 'redeemed' ? 1 : 0);
    ago(answer.at);
  }
  writer.varint(record.ratingLows.length);
  for (const low of record.ratingLows) {
    writer.float64(low.rating);
    ago(low.at);
  }
  const bytes = writer.finish();
  bytes.writeUInt32LE(checksum(bytes), checksumAt);
  return bytes;
}

export function decodeRecord(bytes: Buffer): DecodedRecord {
  if (bytes.length < headerBytes + 8 * STATE_LENGTH) return { ok: false, reason: 'too-short' };
  if (checksum(bytes) !== bytes.readUInt32LE(checksumAt)) return { ok: false, reason: 'checksum' };
  if (bytes.readUInt32LE(schemaAt) !== schemaNumber) return { ok: false, reason: 'schema' };
  try {
    const reader = new BinaryReader(bytes, headerBytes);
    const record = readRecord(reader);
    record.appliedThrough = `${bytes.readDoubleLE(0)}-${bytes.readDoubleLE(8)}`;
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
  const state = new Float64Array(STATE_LENGTH);
  for (let s = 0; s < STATE_LENGTH; s++) state[s] = reader.float64();
  const record = recordWithState(state);
  record.eventCount = reader.varint();
  record.firstAt = reader.varint() - 1;
  record.lastAt = reader.varint() - 1;
  record.lastEventId = reader.text();
  record.lastOrderId = reader.text();
  record.attributes = readAttributes(reader);
  const names: string[] = [];
  for (let n = reader.varint(); n > 0; n--) names.push(reader.text());
  const category = () => names[reader.varint()] ?? '';
  const time = () => record.lastAt - reader.varint();
  for (let n = reader.varint(); n > 0; n--) {
    const itemId = reader.text() as ItemId;
    record.items.set(itemId, {
      itemId,
      category: category(),
      purchaseCount: reader.varint(),
      quantity: reader.varint(),
      returnCount: reader.varint(),
      firstAt: time(),
      lastAt: time(),
    });
  }
  for (let n = reader.varint(); n > 0; n--)
    record.recentViews.push({
      itemId: reader.text() as ItemId,
      at: time(),
      addedToCart: reader.varint() === 1,
    });
  for (let n = reader.varint(); n > 0; n--)
    record.categories.push({ category: category(), weight: reader.float64(), at: time() });
  for (let n = reader.varint(); n > 0; n--)
    record.offerAnswers.push({
      offerId: reader.text() as OfferId,
      outcome: reader.varint() === 1 ? 'redeemed' : 'dismissed',
      at: time(),
    });
  for (let n = reader.varint(); n > 0; n--) record.ratingLows.push({ rating: reader.float64(), at: time() });
  return record;
}

/** Names of categories once each: a customer's items share a few. Answers where each name stands. */
function writeCategoryNames(writer: BinaryWriter, record: CustomerRecord): Map<string, number> {
  const index = new Map<string, number>();
  for (const { category } of record.items.values()) if (!index.has(category)) index.set(category, index.size);
  for (const { category } of record.categories) if (!index.has(category)) index.set(category, index.size);
  writer.varint(index.size);
  for (const name of index.keys()) writer.text(name);
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
