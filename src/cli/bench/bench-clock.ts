/** The time of a bench in which days go by: from the start on it goes `speed` times as fast as the clock on the wall. */
export type BenchClock = { startedAt: number; speed: number };

/** Milliseconds since 1970. */
export function benchTime({ startedAt, speed }: BenchClock): number {
  return Math.round(startedAt + (Date.now() - startedAt) * speed);
}
