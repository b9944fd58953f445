/** CPU and wall time of work that is repeated. */

export type Times = {
  /** All threads of the process together. */
  cpuSeconds: number;
  wallSeconds: number;
};

async function timesOf(work: () => unknown): Promise<Times> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - startedAt) / 1000 };
}

/** The least of each over `repeats` runs: what else the machine does only ever adds. `prepare` goes before each, untimed. */
export async function leastTimes(
  repeats: number,
  work: () => unknown,
  prepare: () => unknown = () => {},
): Promise<Times> {
  const least = { cpuSeconds: Number.POSITIVE_INFINITY, wallSeconds: Number.POSITIVE_INFINITY };
  for (let run = 0; run < repeats; run++) {
    await prepare();
    const times = await timesOf(work);
    least.wallSeconds = Math.min(least.wallSeconds, times.wallSeconds);
    least.cpuSeconds = Math.min(least.cpuSeconds, times.cpuSeconds);
  }
  return least;
}
