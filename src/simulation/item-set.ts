/** A set of item indices that is emptied in one step, so that one serves customer after customer. */
export class ItemSet {
  readonly #stamps: Int32Array;
  #stamp = 1;

  constructor(size: number) {
    this.#stamps = new Int32Array(size);
  }

  add(index: number): void {
    this.#stamps[index] = this.#stamp;
  }

  delete(index: number): void {
    this.#stamps[index] = 0;
  }

  has(index: number): boolean {
    return this.#stamps[index] === this.#stamp;
  }

  clear(): void {
    this.#stamp++;
  }
}
