import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinaryReader, BinaryWriter, roundFraction } from '../../src/features/binary.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import { decodeRecord, encodeRecord } from '../../src/features/record-codec.ts';
import { STATE_LENGTH } from '../../src/features/registry.ts';
import { customerEvents } from '../support/events.ts';

function decoded(bytes: Buffer): CustomerRecord {
  const result = decodeRecord(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result.record;
}

function recordOf(events: Parameters<typeof applyEvent>[1][]): CustomerRecord {
  const record = emptyRecord();
  for (const event of events) applyEvent(record, event);
  record.appliedThrough = '1790000000000-17';
  return record;
}

test('decode is the exact inverse of encode, whatever happened', () => {
  fc.assert(
    fc.property(customerEvents('anna', 30), (events) => {
      const record = recordOf(events);
      expect(decoded(encodeRecord(record))).toStrictEqual(record);
    }),
  );
});

test('folding goes on after a round through bytes as if there had been none', () => {
  fc.assert(
    fc.property(customerEvents('anna', 20), (events) => {
      let record = emptyRecord();
      for (const event of events) {
        record = decoded(encodeRecord(record));
        applyEvent(record, event);
      }
      record.appliedThrough = '1790000000000-17';
      expect(encodeRecord(record)).toEqual(encodeRecord(recordOf(events)));
    }),
  );
});

test('no single damaged byte and no cut goes unnoticed', () => {
  const bytes = encodeRecord(recordOf(fc.sample(customerEvents('anna', 12), { numRuns: 1, seed: 7 })[0]!));
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x41;
    expect(decodeRecord(damaged)).toEqual({ ok: false, reason: 'checksum' });
    expect(decodeRecord(bytes.subarray(0, at)).ok).toBe(false);
  }
  expect(decodeRecord(Buffer.concat([bytes, Buffer.from([0])])).ok).toBe(false);
});

test('a slot that says what is to be expected takes a bit', () => {
  expect(encodeRecord(emptyRecord()).length).toBeLessThan(STATE_LENGTH / 8 + 18 + 20);
});

test('fractions keep sixteen bits, which their three bytes hold exactly', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e30, max: 1e30, noNaN: true }), (value) => {
      const rounded = roundFraction(value);
      const writer = new BinaryWriter();
      writer.float24(rounded);
      const bytes = writer.finish();
      expect(bytes.length).toBe(3);
      expect(new BinaryReader(bytes, 0).float24()).toBe(rounded);
      // Below that, floats have fewer digits.
      if (Math.abs(value) > 1e-30) expect(Math.abs(rounded / value - 1)).toBeLessThan(2 ** -16 + 2 ** -24);
    }),
  );
});
