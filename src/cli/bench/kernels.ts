/** `nextbest bench kernels`: each kernel beside its plain typed-array version, in one run. */
import { createKernels } from '../../algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../../infra/kernel-runtime.ts';
import { kernelCases } from './kernel-cases.ts';
import { leastTimes } from './measure.ts';
import { type SyntheticSize, syntheticInteractions } from './synthetic.ts';

export type KernelBenchOptions = {
  size: SyntheticSize;
  /** Runs of each kernel, of which the least times count. */
  repeats: number;
  /** The slow oracles solve every n-th row, and their time is scaled up by the work that this leaves out; 1 solves all. */
  oracleStride: number;
  /** Only cases whose names begin with one of these; empty: all. */
  only: readonly string[];
  seed: number;
};

export type KernelBenchLine = {
  name: string;
  /** Least CPU time of all threads together, and least wall time, of one iteration, call or inverse. */
  cpuSeconds: number;
  wallSeconds: number;
  /** The typed-array version's, on one thread. */
  oracleCpuSeconds: number;
  /** oracleCpuSeconds / cpuSeconds */
  speedup: number;
  threads: number;
  /** Share of the oracle's work that was run; the rest is reckoned. */
  oracleShare: number;
  build: string;
};

export async function benchKernels(
  options: KernelBenchOptions,
  onLine: (line: KernelBenchLine) => void,
): Promise<void> {
  const userItems = syntheticInteractions(options.size, options.seed);
  const cases = kernelCases(userItems, options.oracleStride).filter(
    ({ name }) => options.only.length === 0 || options.only.some((start) => name.startsWith(start)),
  );
  const runtime = await openKernelRuntime();
  const pools = await Promise.all([1, 2].map((threads) => createKernels(runtime, { threads })));
  try {
    for (const { name, threads, oracle, prepare } of cases) {
      const { cpuSeconds: oracleCpuSeconds, share } = await oracle();
      for (const kernels of pools.filter((pool) => threads.includes(pool.threads))) {
        const prepared = prepare(kernels);
        // The first run compiles.
        await leastTimes(1, prepared.work, prepared.before);
        const times = await leastTimes(options.repeats, prepared.work, prepared.before);
        prepared.release();
        const cpuSeconds = times.cpuSeconds / prepared.calls;
        onLine({
          name,
          cpuSeconds,
          wallSeconds: times.wallSeconds / prepared.calls,
          oracleCpuSeconds,
          speedup: oracleCpuSeconds / cpuSeconds,
          threads: kernels.threads,
          oracleShare: share,
          build: kernels.build,
        });
      }
    }
  } finally {
    await Promise.all(pools.map((kernels) => kernels.close()));
  }
}
