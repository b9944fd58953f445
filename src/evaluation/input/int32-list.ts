/** Whole numbers that are appended one by one: eight bytes each at most, where an array would take as many and a heap. */
export class Int32List {
  #values = new Int32Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Int32Array(2 * this.#length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of exactly its length. */
  toArray(): Int32Array {
    return this.#values.slice(0, this.#length);
  }
}
