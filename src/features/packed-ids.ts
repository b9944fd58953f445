/**
 * Ids as few bytes. A shop's ids are alike: `i00042`, `c0000017`, `85123A`. What stands around the digits of an id, and how
 * many digits there are, is its shape; a record holds each shape once, and an id is then one varint of digits and shape. No
 * dictionary outside the record is asked: ordinals of a catalogue change with each training, and what is read must be what was
 * written whatever has happened since. UUIDs are sixteen bytes; what has no shape stays text.
 *
 * token = number · kinds + kind, kinds = 3 + number of shapes:
 *   kind 0  text follows          kind 1  sixteen bytes of a UUID follow
 *   kind 2  the number-th id of those that `remember` has been told of
 *   kind 3…  the number written with the shape's digits, between its prefix and its suffix
 */
import type { BinaryReader, BinaryWriter } from './binary.ts';

type Shape = { prefix: string; suffix: string; digits: number };

const asText = 0;
const asUuid = 1;
const asRemembered = 2;
const firstShape = 3;

/** Numbers of so many digits times the kinds stay below 2⁵³. */
const digitsMax = 13;
const shapesMax = 64;
/** A prefix longer than this is seldom shared. */
const aroundMax = 40;

const shaped = /^(.*?)(\d{1,13})(\D*)$/s;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type Parsed = { shape: number; number: number };

export class IdWriter {
  readonly #shapes: Shape[] = [];
  readonly #shapeNumbers = new Map<string, number>();
  readonly #parsed = new Map<string, Parsed | undefined>();
  readonly #remembered = new Map<string, number>();

  /** To be told of every id before `writeShapes`. */
  meet(id: string): void {
    if (!this.#parsed.has(id)) this.#parsed.set(id, this.#parse(id));
  }

  writeShapes(writer: BinaryWriter): void {
    writer.varint(this.#shapes.length);
    for (const { prefix, suffix, digits } of this.#shapes) {
      writer.text(prefix);
      writer.text(suffix);
      writer.varint(digits);
    }
  }

  /** From here on the id may be told by its place among those that were remembered. */
  remember(id: string): void {
    this.#remembered.set(id, this.#remembered.size);
  }

  write(writer: BinaryWriter, id: string): void {
    const kinds = firstShape + this.#shapes.length;
    const place = this.#remembered.get(id);
    if (place !== undefined) {
      writer.varint(place * kinds + asRemembered);
      return;
    }
    const parsed = this.#parsed.get(id);
    if (parsed !== undefined) writer.varint(parsed.number * kinds + firstShape + parsed.shape);
    else if (uuid.test(id)) {
      writer.varint(asUuid);
      writer.bytes(Buffer.from(id.replaceAll('-', ''), 'hex'));
    } else {
      writer.varint(asText);
      writer.text(id);
    }
  }

  #parse(id: string): Parsed | undefined {
    if (uuid.test(id)) return undefined;
    const [, prefix = '', digits = '', suffix = ''] = shaped.exec(id) ?? [];
    if (digits === '' || prefix.length + suffix.length > aroundMax) return undefined;
    // Neither part may run into the other.
    const key = `${prefix.length} ${digits.length} ${prefix}${suffix}`;
    let shape = this.#shapeNumbers.get(key);
    if (shape === undefined) {
      if (this.#shapes.length === shapesMax) return undefined;
      shape = this.#shapes.push({ prefix, suffix, digits: digits.length }) - 1;
      this.#shapeNumbers.set(key, shape);
    }
    return { shape, number: Number(digits) };
  }
}

export class IdReader {
  readonly #shapes: Shape[] = [];
  readonly #remembered: string[] = [];

  readShapes(reader: BinaryReader): void {
    for (let n = reader.varint(); n > 0; n--) {
      const shape = { prefix: reader.text(), suffix: reader.text(), digits: reader.varint() };
      if (shape.digits > digitsMax) throw new RangeError('a shape of too many digits');
      this.#shapes.push(shape);
    }
  }

  remember(id: string): void {
    this.#remembered.push(id);
  }

  read(reader: BinaryReader): string {
    const kinds = firstShape + this.#shapes.length;
    const token = reader.varint();
    const kind = token % kinds;
    if (kind === asText) return reader.text();
    if (kind === asUuid) return uuidOf(reader.hex(16));
    const number = (token - kind) / kinds;
    if (kind === asRemembered) {
      const id = this.#remembered[number];
      if (id === undefined) throw new RangeError('an id that was not remembered');
      return id;
    }
    const shape = this.#shapes[kind - firstShape];
    if (shape === undefined) throw new RangeError('an id of a shape that there is not');
    return shape.prefix + String(number).padStart(shape.digits, '0') + shape.suffix;
  }
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
