/** What is still to happen to one customer, soonest first. Few entries at a time: a sorted list beats a heap. */

export type Planned<What> = { at: number; what: What };

export type Agenda<What> = {
  /** Entries of the same instant come out in the order in which they were planned. */
  plan(at: number, what: What): void;
  /** Takes out the soonest entry. */
  next(): Planned<What> | undefined;
  clear(): void;
  /** Entries still waiting, latest first. */
  readonly waiting: readonly Planned<What>[];
};

export function createAgenda<What>(): Agenda<What> {
  const waiting: Planned<What>[] = [];
  return {
    waiting,
    plan(at, what) {
      let index = waiting.length;
      waiting.push({ at, what });
      const entry = waiting[index]!;
      while (index > 0 && waiting[index - 1]!.at <= at) {
        waiting[index] = waiting[index - 1]!;
        index--;
      }
      waiting[index] = entry;
    },
    next: () => waiting.pop(),
    clear() {
      waiting.length = 0;
    },
  };
}
