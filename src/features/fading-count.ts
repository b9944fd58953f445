/** A count of events that fades: each adds 1, which halves in every `halfLifeDays`. Two slots: the count, and when it stood so. */
import { decay, NEVER } from './feature.ts';

/** Adds an event at `at` to the slots from `slot` on; a late one adds what is left of it. The second slot starts at NEVER. */
export function addFading(state: Float64Array, slot: number, at: number, halfLifeDays: number): void {
  const countedAt = state[slot + 1]!;
  if (countedAt === NEVER || at >= countedAt) {
    const left = countedAt === NEVER ? 0 : state[slot]! * decay(at - countedAt, halfLifeDays);
    state[slot] = left + 1;
    state[slot + 1] = at;
  } else {
    state[slot]! += decay(countedAt - at, halfLifeDays);
  }
}

/** What is left of the count at `now`; 0 before the first event. */
export function fadingCount(state: Float64Array, slot: number, now: number, halfLifeDays: number): number {
  const countedAt = state[slot + 1]!;
  return countedAt === NEVER ? 0 : state[slot]! * decay(Math.max(0, now - countedAt), halfLifeDays);
}
