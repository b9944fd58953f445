import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinaryReader, BinaryWriter } from '../../src/features/binary.ts';
import { IdReader, IdWriter } from '../../src/features/packed-ids.ts';

function written(ids: readonly string[]): Buffer {
  const writer = new BinaryWriter();
  const packed = new IdWriter();
  for (const id of ids) packed.meet(id);
  packed.writeShapes(writer);
  for (const id of ids) {
    packed.write(writer, id);
    packed.remember(id);
  }
  return writer.finish();
}

function read(bytes: Buffer, count: number): string[] {
  const reader = new BinaryReader(bytes, 0);
  const packed = new IdReader();
  packed.readShapes(reader);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const id = packed.read(reader);
    packed.remember(id);
    ids.push(id);
  }
  expect(reader.atEnd).toBe(true);
  return ids;
}

const anyId = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.stringMatching(/^[a-z ]{0,3}\d{1,20}[A-Z-]{0,3}$/),
  fc.stringMatching(/^(0\d*|\d+ \d+)$/),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '0', '00', '1 1', '9999999999999', '99999999999999', `${'x'.repeat(41)}1`, '1\n2\n'),
);

test('an id is read as it was written, whatever its shape, and again from its place', () => {
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 100 }), (ids) => {
      const unique = [...new Set(ids)];
      expect(read(written(unique), unique.length)).toEqual(unique);
    }),
  );
});

test('ids of one shape take three bytes each, and a UUID seventeen', () => {
  const ids = Array.from({ length: 100 }, (_, n) => `i${String(40_000 + n).padStart(5, '0')}`);
  expect(written(ids).length).toBeLessThanOrEqual(3 * ids.length + 5);
  expect(written(['6f9619ff-8b86-4011-b42d-00c04fc964ff']).length).toBe(1 + 17);
});

test('bytes that name what is not there are refused', () => {
  for (const token of [2, 3, 7]) {
    const writer = new BinaryWriter();
    writer.varint(0);
    writer.varint(token);
    const reader = new BinaryReader(writer.finish(), 0);
    const packed = new IdReader();
    packed.readShapes(reader);
    expect(() => packed.read(reader)).toThrow(RangeError);
  }
});
