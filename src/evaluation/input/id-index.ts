/** Numbers ids in the order in which they are first met. */
export class IdIndex {
  readonly ids: string[] = [];
  readonly #index = new Map<string, number>();

  /** The id's number, a new one where it is met for the first time. */
  add(id: string): number {
    const known = this.#index.get(id);
    if (known !== undefined) return known;
    const index = this.ids.push(id) - 1;
    this.#index.set(id, index);
    return index;
  }

  /** undefined for an id that was never added. */
  find(id: string): number | undefined {
    return this.#index.get(id);
  }

  get size(): number {
    return this.ids.length;
  }
}
