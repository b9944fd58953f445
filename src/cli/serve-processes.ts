/**
 * Several processes of the service on one address (Node's cluster): the primary takes connections and hands them round. One that
 * crashes is started again; SIGUSR2 replaces them one by one without a request lost; `/metrics` of any tells of all.
 */
import type { ChildProcess } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../infra/logger.ts';
import { type GatheredMetrics, gatherMetrics } from '../infra/process-metrics.ts';
import { endMessage } from '../infra/shutdown.ts';
import { keepRunning } from './keep-running.ts';

const binary = fileURLToPath(new URL('../../bin/nextbest', import.meta.url));

export type ServeProcesses = {
  /** Port of the service, once all processes listen. */
  port: Promise<number>;
  /** Rejects when a process cannot be started at all (wrong settings). */
  failed: Promise<never>;
  metrics: GatheredMetrics;
  /** One after the other: a new process listens before an old one is told to go. */
  replaceAll: () => Promise<void>;
  stop: () => Promise<void>;
};

/** `env`: of each process, which must not listen on METRICS_PORT: the primary does. */
export function startServeProcesses(
  count: number,
  log: Logger,
  env: Readonly<Record<string, string>>,
): ServeProcesses {
  cluster.setupPrimary({
    exec: binary,
    args: ['serve', '--json'],
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let stopping = false;
  let replacing: Promise<void> | undefined;
  const listening = new Map<number, Worker>();
  const leaving = new WeakSet<ChildProcess>();
  const keepers = new Set<Promise<void>>();
  const metrics = gatherMetrics(() => [...listening.values()]);
  let fail: (err: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for it is told; nobody has to.
  failed.catch(() => {});

  function fork(onListening: (port: number) => void): Worker {
    const worker = cluster.fork(env);
    metrics.follow(worker);
    worker.on('listening', ({ port }: AddressInfo) => {
      listening.set(worker.id, worker);
      onListening(port);
    });
    worker.once('exit', () => listening.delete(worker.id));
    return worker;
  }

  /** Keeps one more process running; tells the port when it first listens. */
  function keepOne(): Promise<number> {
    return new Promise((resolve) => {
      const keeper = keepRunning({
        name: 'serve',
        start: () => fork(resolve).process,
        isOver: (child) => stopping || leaving.has(child),
        log,
      }).catch(fail);
      keepers.add(keeper);
      void keeper.finally(() => keepers.delete(keeper));
    });
  }

  async function end(worker: Worker): Promise<void> {
    leaving.add(worker.process);
    if (worker.isDead()) return;
    const ended = once(worker, 'exit');
    if (listening.has(worker.id)) worker.send(endMessage, () => {});
    else worker.process.kill('SIGTERM');
    await ended;
  }

  async function replace(): Promise<void> {
    // Those that only begin are as old as the others.
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (stopping || worker === undefined) return;
      await keepOne();
      await end(worker);
      log.info({ event: 'process.replaced', pid: worker.process.pid }, 'a process of serve was replaced');
    }
  }

  const ports = Promise.all(Array.from({ length: count }, keepOne));
  return {
    port: ports.then((all) => all[0] ?? 0),
    failed,
    metrics,
    replaceAll: () => {
      replacing ??= replace().finally(() => {
        replacing = undefined;
      });
      return replacing;
    },
    stop: async () => {
      stopping = true;
      await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => worker && end(worker)));
      await Promise.all(keepers);
    },
  };
}
