/** Reading and writing of compact binary values: LEB128 varints of up to 53 bits, float64 little endian, UTF-8 texts. */

export class BinaryWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a varint: ${value}`);
    this.#reserve(8);
    let rest = value;
    // Division, not shifts: those cut to 32 bits.
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  float32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeFloatLE(value, this.#length);
    this.#length += 4;
  }

  /** A number that `roundFraction` leaves as it is: the upper three bytes of a float32. */
  float24(value: number): void {
    this.#reserve(4);
    this.#buffer.writeFloatBE(value, this.#length);
    this.#length += 3;
  }

  uint48(value: number): void {
    this.#reserve(6);
    this.#buffer.writeUIntLE(value, this.#length, 6);
    this.#length += 6;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.#reserve(bytes);
    this.#length += this.#buffer.write(value, this.#length);
  }

  /** Leaves room for a length, which `fillUint16` puts there once what it measures has been written. */
  reserveUint16(): number {
    this.#reserve(2);
    this.#length += 2;
    return this.#length - 2;
  }

  /** RangeError where more than 65,535 bytes have been written since. */
  fillUint16(at: number): void {
    this.#buffer.writeUInt16LE(this.#length - at - 2, at);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The nearest number of 16 significant bits, five digits: what `float24` holds. */
export function roundFraction(value: number): number {
  float[0] = value;
  // Half of what is cut off, and its carry goes into the exponent where it must. Of two as near, the larger.
  return floatOf24((floatBits[0]! + 0x80) >>> 8);
}

function floatOf24(upper: number): number {
  floatBits[0] = upper << 8;
  return float[0]!;
}

/** Throws a RangeError on reading past the end. */
export class BinaryReader {
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;

  constructor(buffer: Buffer, at: number, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  /** A reader of the next so many bytes, which this one passes over. */
  part(length: number): BinaryReader {
    const from = this.#at;
    if (from + length > this.#end) throw new RangeError('the value ends within a part');
    this.#at = from + length;
    return new BinaryReader(this.#buffer, from, from + length);
  }

  uint16(): number {
    const value = this.#buffer.readUInt16LE(this.#at);
    this.#at += 2;
    return value;
  }

  byte(): number {
    const value = this.#buffer[this.#at++];
    if (value === undefined || this.#at > this.#end) throw new RangeError('the value has ended');
    return value;
  }

  varint(): number {
    // Nearly all are one byte.
    const first = this.#buffer[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 8; length++) {
      const byte = this.#buffer[this.#at++];
      if (byte === undefined) throw new RangeError('the value ends within a varint');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError('a varint is longer than 53 bits');
  }

  float32(): number {
    const value = this.#buffer.readFloatLE(this.#at);
    this.#at += 4;
    return value;
  }

  float24(): number {
    const value = floatOf24(this.#buffer.readUIntBE(this.#at, 3));
    this.#at += 3;
    return value;
  }

  float64(): number {
    const value = this.#buffer.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** The next so many bytes, not copied. */
  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#end) throw new RangeError('the value ends within bytes');
    const value = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  /** The next so many bytes as hexadecimal digits. */
  hex(bytes: number): string {
    const end = this.#at + bytes;
    if (end > this.#end) throw new RangeError('the value ends within bytes');
    const value = this.#buffer.toString('hex', this.#at, end);
    this.#at = end;
    return value;
  }

  text(): string {
    const bytes = this.varint();
    const end = this.#at + bytes;
    if (end > this.#buffer.length) throw new RangeError('the value ends within a text');
    const value = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end;
    return value;
  }
}
