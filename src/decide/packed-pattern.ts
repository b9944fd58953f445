/**
 * A value of JSON in two: its pattern, which all decisions of a list that do the same have in common, and what differs from one to the next,
 * which is every number and the texts under the names below. Packing is what takes time, and so a pattern is packed once and kept.
 *
 *   mark · length of the packed pattern (16 bits, little endian) · packed pattern · values, in the order in which they stand in the pattern
 *
 * The pattern is the JSON with 0 for each such number and "" for each such text. A value is a varint and what that says:
 *   a number   0: a float64 follows; n: the whole number n − 1
 *   a text     0: it follows as UTF-8; 1: the 16 bytes of a UUID follow; 2: the milliseconds since 1970 of an instant follow
 */
import { BinaryReader, BinaryWriter } from '../features/binary.ts';

/** The first byte of what was packed so. */
export const patternMark = 2;

/** Texts that hardly two decisions share. */
const varying: ReadonlySet<string> = new Set([
  'decisionId',
  'customerId',
  'sessionId',
  'decidedAt',
  'standsUntil',
  'redeemableUntil',
  'heldSince',
]);

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidLength = 36;
const uuidBytes = 16;
/** As `toISOString` writes them. */
const instantLength = 24;
const asText = 0;
const asUuid = 1;
const asInstant = 2;

/** Whole numbers up to here are varints of their number + 1. */
const wholeMax = 2 ** 48;
const lengthMax = 0xffff;
const headBytes = 3;

export type Packing = { pack: (text: string) => Buffer; unpack: (bytes: Buffer) => string };

/**
 * Where a walk through a value stands, by what it has met of the pattern so far: a list's decisions go the same ways again and again, and to
 * follow one costs a fraction of putting the pattern into words. What may come next is told by what has come: nowhere a name or a text.
 */
type Step = {
  /** Where the walk may end here: everything before the values; `tooLong`: the pattern is. */
  head: Buffer | 'tooLong' | undefined;
  /** Where the name or constant text that came last leads to, and all of them where there are several. */
  text: string | undefined;
  next: Step | undefined;
  others: Map<string, Step> | undefined;
  /** By what is no text (`marks`). */
  marked: Step[];
};

const marks = { object: 0, array: 1, end: 2, number: 3, varying: 4, null: 5, true: 6, false: 7 } as const;
type Mark = (typeof marks)[keyof typeof marks];

const newStep = (): Step => ({
  head: undefined,
  text: undefined,
  next: undefined,
  others: undefined,
  marked: [],
});

/** A list has some hundreds of patterns, which share most of their steps; what offers show may be as long as it likes. */
const stepsMax = 50_000;
const charactersMax = 4 * 2 ** 20;
let start = newStep();
let steps = 0;
let characters = 0;

/** Of one value at a time. */
const values = new BinaryWriter();

/** undefined: its pattern is too long. */
export function packByPattern(value: object, { pack }: Packing): Buffer | undefined {
  if (steps > stepsMax || characters > charactersMax) {
    start = newStep();
    steps = 0;
    characters = 0;
  }
  values.clear();
  const last = walk(value, '', start);
  last.head ??= headOf(pack(patternOf(value, '')));
  return last.head === 'tooLong' ? undefined : Buffer.concat([last.head, values.finish()]);
}

function headOf(packed: Buffer): Buffer | 'tooLong' {
  if (packed.length > lengthMax) return 'tooLong';
  return Buffer.concat([Buffer.of(patternMark, packed.length & 0xff, packed.length >> 8), packed]);
}

/** Where the value leads to from here; what varies goes into `values`. */
function walk(value: unknown, name: string, from: Step): Step {
  if (typeof value === 'number' && Number.isFinite(value)) {
    writeNumber(values, value);
    return afterMark(from, marks.number);
  }
  if (typeof value === 'string') {
    if (!varying.has(name)) return afterText(from, value);
    writeText(values, value);
    return afterMark(from, marks.varying);
  }
  if (typeof value === 'boolean') return afterMark(from, value ? marks.true : marks.false);
  if (typeof value !== 'object' || value === null) return afterMark(from, marks.null);
  if (Array.isArray(value)) {
    let step = afterMark(from, marks.array);
    for (let at = 0; at < value.length; at++) step = walk(value[at], '', step);
    return afterMark(step, marks.end);
  }
  let step = afterMark(from, marks.object);
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    const one = object[key];
    if (one !== undefined) step = walk(one, key, afterText(step, key));
  }
  return afterMark(step, marks.end);
}

function afterMark({ marked }: Step, mark: Mark): Step {
  return marked[mark] ?? addMark(marked, mark);
}

function addMark(marked: Step[], mark: Mark): Step {
  const step = newStep();
  steps++;
  marked[mark] = step;
  return step;
}

function afterText(step: Step, text: string): Step {
  if (step.next !== undefined && step.text === text) return step.next;
  if (step.next !== undefined && step.others === undefined)
    step.others = new Map([[step.text ?? '', step.next]]);
  let next = step.others?.get(text);
  if (next === undefined) {
    next = newStep();
    steps++;
    characters += text.length;
    step.others?.set(text, next);
  }
  step.text = text;
  step.next = next;
  return next;
}

/** Throws where the bytes are damaged, as far as they show it. */
export function unpackByPattern(bytes: Buffer, { unpack }: Packing): unknown {
  const valuesAt = headBytes + bytes.readUInt16LE(1);
  const pattern = JSON.parse(unpack(bytes.subarray(headBytes, valuesAt)));
  const values = new BinaryReader(bytes, valuesAt);
  const value = filled(pattern, '', values);
  if (!values.atEnd) throw new RangeError('there are more values than places for them');
  return value;
}

/** JSON of the pattern. */
function patternOf(value: unknown, name: string): string {
  if (typeof value === 'number' && Number.isFinite(value)) return '0';
  if (typeof value === 'string') return varying.has(name) ? '""' : JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map((one) => patternOf(one, '')).join(',')}]`;
  const members = Object.entries(value).flatMap(([key, one]) =>
    one === undefined ? [] : [`${JSON.stringify(key)}:${patternOf(one, key)}`],
  );
  return `{${members.join(',')}}`;
}

function filled(pattern: unknown, name: string, values: BinaryReader): unknown {
  if (typeof pattern === 'number') return readNumber(values);
  if (typeof pattern === 'string') return varying.has(name) ? readText(values) : pattern;
  if (Array.isArray(pattern)) return pattern.map((one) => filled(one, '', values));
  if (typeof pattern !== 'object' || pattern === null) return pattern;
  const value = pattern as Record<string, unknown>;
  for (const key of Object.keys(value)) value[key] = filled(value[key], key, values);
  return value;
}

function writeNumber(writer: BinaryWriter, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < wholeMax) writer.varint(value + 1);
  else {
    writer.varint(0);
    writer.float64(value);
  }
}

function readNumber(reader: BinaryReader): number {
  const token = reader.varint();
  return token === 0 ? reader.float64() : token - 1;
}

function writeText(writer: BinaryWriter, text: string): void {
  if (text.length === uuidLength && uuid.test(text)) {
    writer.varint(asUuid);
    writer.bytes(Buffer.from(text.replaceAll('-', ''), 'hex'));
    return;
  }
  const at = text.length === instantLength ? instants.of(text) : Number.NaN;
  if (at >= 0) {
    writer.varint(asInstant);
    writer.varint(at);
    return;
  }
  writer.varint(asText);
  writer.text(text);
}

function readText(reader: BinaryReader): string {
  switch (reader.varint()) {
    case asText:
      return reader.text();
    case asUuid: {
      const digits = reader.hex(uuidBytes);
      return [0, 8, 12, 16, 20].map((from, n, all) => digits.slice(from, all[n + 1])).join('-');
    }
    case asInstant:
      return new Date(reader.varint()).toISOString();
    default:
      throw new RangeError('a text of a decision is in none of the known forms');
  }
}

/** What is worked out of texts that are the same again and again. */
function remembered<T>(most: number, work: (text: string) => T): { of: (text: string) => T } {
  const known = new Map<string, T>();
  return {
    of: (text) => {
      const found = known.get(text);
      if (found !== undefined) return found;
      const made = work(text);
      if (known.size >= most) known.clear();
      known.set(text, made);
      return made;
    },
  };
}

/** Milliseconds since 1970; NaN: not an instant, or not written as JSON has it. Those who are decided on together share theirs. */
const instants = remembered(500, (text) => {
  const at = Date.parse(text);
  return at >= 0 && new Date(at).toISOString() === text ? at : Number.NaN;
});
