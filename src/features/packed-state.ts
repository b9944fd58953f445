/**
 * The slots of a record's features as few bytes. Many are as they were before the first event, or say what another feature's slot of the
 * same name says too: first a bit for each slot, 1 = as is to be expected, and then the others. A fraction takes three bytes where
 * those hold it exactly, which `applyEvent` sees to, and eight where not: nothing is lost in any case.
 *
 * One varint such a slot: 0 zero, 1 NEVER, 2 a float24 follows, 3 a float64 follows, 4 + 2·c the count c, 5 + 2·p the time at place p.
 */
import { type BinaryReader, type BinaryWriter, roundFraction } from './binary.ts';
import { NEVER } from './feature.ts';
import type { TimeReader, TimeWriter } from './packed-times.ts';
import { emptyState, FEATURES, STATE_LENGTH } from './registry.ts';

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
  else if (Object.is(roundFraction(value), value)) {
    writer.varint(single);
    writer.float24(value);
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
      return reader.float24();
    case double:
      return reader.float64();
    default:
      return token % 2 === 0 ? (token - firstCount) / 2 : times.at((token - firstTime) / 2);
  }
}

const perByte = 8;

/** Bytes of the bits: a state takes no fewer. */
export const stateBytesMin = Math.ceil(STATE_LENGTH / perByte);

const initial = emptyState();

/** For each slot the nearest of the same name before it; −1: there is none. */
const twins: readonly number[] = twinsOf(FEATURES.flatMap(({ slots }) => slots));

function twinsOf(names: readonly string[]): number[] {
  return names.map((name, s) => names.lastIndexOf(name, s - 1)).map((twin, s) => (s === 0 ? -1 : twin));
}

function expected(state: Float64Array, slot: number): number {
  const twin = twins[slot] ?? -1;
  return (twin === -1 ? initial[slot] : state[twin]) ?? 0;
}

export function writeState(
  writer: BinaryWriter,
  state: Float64Array,
  writeSlot: (value: number) => void,
): void {
  const bits = new Uint8Array(stateBytesMin);
  const others: number[] = [];
  for (let s = 0; s < STATE_LENGTH; s++) {
    const value = state[s] ?? 0;
    if (Object.is(value, expected(state, s))) bits[s >> 3] = (bits[s >> 3] ?? 0) | (1 << (s & 7));
    else others.push(value);
  }
  writer.bytes(bits);
  for (const value of others) writeSlot(value);
}

/** Into `state`, which is as long as the features' slots. */
export function readState(reader: BinaryReader, state: Float64Array, readSlot: () => number): void {
  const bits = reader.bytes(stateBytesMin);
  for (let s = 0; s < STATE_LENGTH; s++) {
    const isExpected = ((bits[s >> 3] ?? 0) & (1 << (s & 7))) !== 0;
    state[s] = isExpected ? expected(state, s) : readSlot();
  }
}
