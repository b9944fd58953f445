import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinaryReader, BinaryWriter } from '../../src/features/binary.ts';
import { readNames, writeNames } from '../../src/features/packed-names.ts';

function written(names: readonly string[]): Buffer {
  const writer = new BinaryWriter();
  writeNames(writer, names);
  return writer.finish();
}

function read(bytes: Buffer): string[] {
  const reader = new BinaryReader(bytes, 0);
  const names = readNames(reader);
  expect(reader.atEnd).toBe(true);
  return names;
}

const anyName = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.stringMatching(/^[A-Za-z0-9 &,'./()ÄÖÜäöüß-]{0,40}$/),
  fc.constantFrom('', ' ', '  a  B', 'Coffee & Tea', 'USB-C', 'éclairs', '咖啡与茶', 'a\0b'),
);

test('names come back as they were, however they are written', () => {
  fc.assert(
    fc.property(fc.array(anyName, { maxLength: 20 }), (names) => {
      expect(read(written(names))).toEqual(names);
    }),
  );
});

test('names take no more than as texts, and those of a shop three quarters at most', () => {
  const plain = (names: string[]) => 1 + names.reduce((sum, name) => sum + 1 + Buffer.byteLength(name), 0);
  fc.assert(
    fc.property(fc.array(anyName, { maxLength: 20 }), (names) => {
      expect(written(names).length).toBeLessThanOrEqual(plain(names));
    }),
  );
  for (const names of [
    ['Living Room Furniture', 'Curtains & Blinds', 'Bedding', 'Garden Tools', 'Women’s Shoes'],
    ['Haushaltsgeräte', 'Möbel', 'Kinderbekleidung', 'Schuhe', 'Lebensmittel'],
  ])
    expect(written(names).length).toBeLessThan((3 / 4) * plain(names));
});

test('names that end early are known to be damaged', () => {
  const bytes = written(['Coffee & Tea', 'Garden Tools']);
  for (let length = 0; length < bytes.length; length++)
    expect(() => readNames(new BinaryReader(bytes.subarray(0, length), 0))).toThrow(RangeError);
});
