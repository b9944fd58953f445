/** Numbers that are appended one by one, eight bytes each. */
export class Float64List {
  #values = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of exactly its length. */
  toArray(): Float64Array {
    return this.#values.slice(0, this.#length);
  }
}
