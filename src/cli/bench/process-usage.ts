/** What a command and every process that it starts use, read from /proc (Linux). */
import { readdir, readFile } from 'node:fs/promises';
import type { Redis } from '../../infra/redis.ts';

export type Usage = {
  /** User and system time of all of them. */
  cpuSeconds: number;
  /** The sum of each one's own peak of resident memory, which they need not have had at one time. */
  peakMb: number;
};

/** Environment variable by which the processes of a command are told, also those that leave its process group. */
export const MARK = 'NEXTBEST_BENCH';
const sampleEveryMs = 200;
/** Linux counts CPU time in hundredths of a second for whoever reads /proc. */
const ticksPerSecond = 100;

type Seen = { cpuSeconds: number; peakKb: number };

export type UsageWatch = { stop: () => Promise<Usage> };

/**
 * Watches all processes whose environment has `MARK` with this value. What a process does in the last fifth of a second
 * of its life is missed.
 */
export function watchUsage(value: string): UsageWatch {
  const marked = new Map<string, boolean>();
  const seen = new Map<string, Seen>();
  const sample = async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    await Promise.all(pids.map((pid) => look(pid).catch(() => {})));
  };
  const look = async (pid: string) => {
    const stat = statOf(await readFile(`/proc/${pid}/stat`, 'utf8'));
    const key = `${pid} ${stat.startedAt}`;
    if (!marked.has(key)) {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
      // Between fork and exec a process has its parent's: it is asked again.
      if (environment === '') return;
      marked.set(key, environment.split('\0').includes(`${MARK}=${value}`));
    }
    if (marked.get(key) !== true) return;
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    const title = await readFile(`/proc/${pid}/cmdline`, 'latin1');
    const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    const before = seen.get(key) ?? { cpuSeconds: 0, peakKb: 0 };
    seen.set(key, {
      cpuSeconds: Math.max(before.cpuSeconds, stat.cpuSeconds),
      // A server that writes its file anew does it in a fork, whose pages are those of the server.
      peakKb: /^redis-(aof|rdb)|^valkey-(aof|rdb)/.test(title) ? 0 : Math.max(before.peakKb, peakKb),
    });
  };
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
    }
  })();
  return {
    stop: async () => {
      await sample();
      stopped = true;
      await watching;
      const all = [...seen.values()];
      return {
        cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0),
        peakMb: all.reduce((sum, one) => sum + one.peakKb, 0) / 1024,
      };
    },
  };
}

/** User and system time that a process has used so far, all its threads together. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  return statOf(await readFile(`/proc/${pid}/stat`, 'utf8')).cpuSeconds;
}

/** User and system time that a Redis has used so far, and those of its children that have ended: who write its file anew. */
export async function cpuSecondsOfRedis(redis: Redis): Promise<number> {
  const told = await redis.info('cpu');
  const names = ['used_cpu_user', 'used_cpu_sys', 'used_cpu_user_children', 'used_cpu_sys_children'];
  const seconds = names.map((name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1]));
  return seconds.reduce((sum, one) => sum + one, 0);
}

export type FairClock = {
  /** Milliseconds since the start in which the process could have run. */
  now: () => number;
  /** Milliseconds that it waited for a CPU which others had. */
  starvedMs: () => number;
  stop: () => void;
};

/**
 * A clock that stands while a thread of the process is ready to run and waits for a CPU: on a busy machine what has no CPU is not
 * what hangs. Of several threads that wait at once, the one that waits longest counts. Without /proc it is the wall clock.
 */
export function fairClock(pid: number): FairClock {
  let startedAt = performance.now();
  let passedMs = 0;
  let starvedMs = 0;
  let delays = new Map<string, number>();
  const look = async () => {
    const latest = await runDelays(pid).catch(() => new Map<string, number>());
    const waited = [...latest].map(([thread, ms]) => ms - (delays.get(thread) ?? ms));
    delays = latest;
    const now = performance.now();
    const sinceMs = now - startedAt;
    startedAt = now;
    const delayMs = Math.min(sinceMs, Math.max(0, ...waited));
    starvedMs += delayMs;
    passedMs += sinceMs - delayMs;
  };
  const first = look();
  const timer = setInterval(() => void first.then(look), sampleEveryMs).unref();
  return { now: () => passedMs, starvedMs: () => starvedMs, stop: () => clearInterval(timer) };
}

/** How long each thread has been ready to run and did not: the second number of its schedstat, in nanoseconds. */
async function runDelays(pid: number): Promise<Map<string, number>> {
  const threads = await readdir(`/proc/${pid}/task`);
  const read = await Promise.all(
    threads.map(async (thread) => {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => undefined);
      return text === undefined ? [] : [[thread, Number(text.split(' ')[1]) / 1e6] as const];
    }),
  );
  return new Map(read.flat());
}

/** Of /proc/PID/stat (proc(5)): fields 14 and 15 are user and system time, 22 the start; the name may hold blanks. */
function statOf(text: string): { cpuSeconds: number; startedAt: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    startedAt: fields[19] ?? '',
  };
}
