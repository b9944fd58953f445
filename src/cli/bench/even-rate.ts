/**
 * Calls at an even rate that waits for nothing. (autocannon sends what is due in a second at its beginning: that is a burst a second, in
 * which its connections ask in step, and no rate.)
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Timers are no finer. */
const tickMs = 2;

/** `call` gets the instant when it is due, of `performance.now()`. Returns when all have been answered that were due before `isOver`. */
export async function callEvenly(
  perSecond: number,
  isOver: (now: number) => boolean,
  call: (dueAt: number) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  for (let now = startedAt; !isOver(now); now = performance.now()) {
    const due = Math.floor(((now - startedAt) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const answered: Promise<void> = call(startedAt + (sent / perSecond) * 1000).finally(() =>
        underWay.delete(answered),
      );
      underWay.add(answered);
    }
    await sleep(tickMs);
  }
  await Promise.all(underWay);
}

/** 0 of no values. Sorts them. */
export function quantile(values: number[], q: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(q * (values.length - 1))] ?? 0;
}
