/**
 * The slots of a record's features as few bytes: most are 0, small counts, or an instant that others name too. A fraction takes
 * four bytes where those hold it exactly, which `applyEvent` sees to, and eight where not: nothing is lost in any case.
 *
 * One varint a slot: 0 zero, 1 NEVER, 2 a float32 follows, 3 a float64 follows, 4 + 2·c the count c, 5 + 2·p the time at place p.
 */
import type { BinaryReader, BinaryWriter } from './binary.ts';
import { NEVER } from './feature.ts';
import type { TimeReader, TimeWriter } from './packed-times.ts';

const zero = 0;
const never = 1;
const single = 2;
const double = 3;
const firstCount = 4;
const firstTime = 5;

/** Whole numbers from here on are taken for times: few counts are as large, and those lose nothing by it. */
const timeFrom = 2 ** 32;
const countMax = 2 ** 51;

export function isTime(value: number, lastAt: number): boolean {
  return value >= timeFrom && value <= lastAt && Number.isInteger(value);
}

export function writeNumber(writer: BinaryWriter, value: number, times: TimeWriter, lastAt: number): void {
  if (Object.is(value, 0)) writer.varint(zero);
  else if (value === NEVER) writer.varint(never);
  else if (isTime(value, lastAt)) writer.varint(firstTime + 2 * times.placeOf(value));
  else if (Number.isInteger(value) && value > 0 && value <= countMax) writer.varint(firstCount + 2 * value);
  else if (Object.is(Math.fround(value), value)) {
    writer.varint(single);
    writer.float32(value);
  } else {
    writer.varint(double);
    writer.float64(value);
  }
}

export function readNumber(reader: BinaryReader, times: TimeReader): number {
  const token = reader.varint();
  switch (token) {
    case zero:
      return 0;
    case never:
      return NEVER;
    case single:
      return reader.float32();
    case double:
      return reader.float64();
    default:
      return token % 2 === 0 ? (token - firstCount) / 2 : times.at((token - firstTime) / 2);
  }
}
