/**
 * Metrics of several processes as those of one service. Whichever process is asked, it asks the primary, which asks all of them
 * and adds up. What a process counted before it ended stays in the sum: a counter that falls would look to Prometheus like a
 * restart of everything.
 */
import type { Worker } from 'node:cluster';
import {
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type Registry,
} from 'prom-client';

/** What answers `/metrics`: a registry of one process, or all of them. */
export type MetricsSource = { contentType: string; metrics: () => Promise<string> };

type Snapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Between the primary and its processes. */
type Message =
  | { nextbest: 'metrics?'; ask: number }
  | { nextbest: 'metrics'; ask: number; snapshot: Snapshot }
  | { nextbest: 'lastMetrics'; snapshot: Snapshot }
  | { nextbest: 'allMetrics?'; ask: number }
  | { nextbest: 'allMetrics'; ask: number; text: string | null };

/** A process that is busy for longer is left out, with what it last told. */
const patienceMs = 2000;

/** In the process itself: answers the primary, and asks it for everybody's. */
export function metricsOfAllProcesses(
  registry: Registry,
): MetricsSource & { /** To be called when nothing more will be counted. */ tellLast: () => Promise<void> } {
  const waiting = new Map<number, (text: string | null) => void>();
  let asks = 0;
  const send = (message: Message, done: () => void = () => {}) =>
    process.send?.(message, undefined, undefined, done);
  const snapshotNow = async () => (await registry.getMetricsAsJSON()) as unknown as Snapshot;
  process.on('message', (message: Message) => {
    if (message?.nextbest === 'metrics?')
      void snapshotNow().then((snapshot) => send({ nextbest: 'metrics', ask: message.ask, snapshot }));
    else if (message?.nextbest === 'allMetrics') waiting.get(message.ask)?.(message.text);
  });
  // Listening would keep a process up that could not begin its work.
  process.channel?.unref();
  return {
    contentType: registry.contentType,
    async metrics() {
      const ask = ++asks;
      const text = await answerTo<string>(waiting, ask, 2 * patienceMs, () =>
        send({ nextbest: 'allMetrics?', ask }),
      );
      if (text === undefined) throw new Error('the primary process did not tell the metrics of all');
      return text;
    },
    async tellLast() {
      const snapshot = await snapshotNow();
      if (process.connected)
        await new Promise<void>((resolve) => send({ nextbest: 'lastMetrics', snapshot }, resolve));
    },
  };
}

export type GatheredMetrics = MetricsSource & {
  /** To be called with every process that is forked. */
  follow: (worker: Worker) => void;
};

/** In the primary. `processes`: those that answer requests now. */
export function gatherMetrics(processes: () => readonly Worker[]): GatheredMetrics {
  const contentType = AggregatorRegistry.PROMETHEUS_CONTENT_TYPE;
  const waiting = new Map<number, (snapshot: Snapshot | null) => void>();
  const known = new Map<number, Snapshot>();
  let retired: Snapshot = [];
  let asks = 0;

  async function look(worker: Worker): Promise<void> {
    const ask = ++asks;
    const snapshot = await answerTo<Snapshot>(waiting, ask, patienceMs, () => {
      if (worker.isConnected()) worker.send({ nextbest: 'metrics?', ask } satisfies Message, () => {});
    });
    // It may have ended while it was asked: then it is among the retired already.
    if (snapshot !== undefined && !worker.isDead()) known.set(worker.id, snapshot);
  }

  async function metrics(): Promise<string> {
    await Promise.all(processes().map(look));
    return AggregatorRegistry.aggregate([...known.values(), retired]).metrics();
  }

  return {
    contentType,
    metrics,
    follow(worker) {
      worker.on('message', (message: Message) => {
        if (message?.nextbest === 'metrics') waiting.get(message.ask)?.(message.snapshot);
        else if (message?.nextbest === 'lastMetrics') known.set(worker.id, message.snapshot);
        else if (message?.nextbest === 'allMetrics?') {
          const answer = (text: string | null) =>
            worker.send({ nextbest: 'allMetrics', ask: message.ask, text } satisfies Message, () => {});
          void metrics().then(answer, () => answer(null));
        }
      });
      worker.once('exit', () => {
        const last = known.get(worker.id);
        known.delete(worker.id);
        if (last === undefined) return;
        const counted = last.filter(({ type }) => String(type) === 'counter' || String(type) === 'histogram');
        // An empty list has no types to add by.
        retired = retired.length === 0 ? counted : added(retired, counted);
      });
    },
  };
}

function added(...snapshots: Snapshot[]): Snapshot {
  const sum = AggregatorRegistry.aggregate(snapshots);
  return sum.getMetricsAsArray().map((metric) => (metric as unknown as { get: () => Snapshot[0] }).get());
}

/** The answer that arrives in `waiting` under this number; undefined: none in time, or none that could be given. */
function answerTo<T>(
  waiting: Map<number, (answer: T | null) => void>,
  ask: number,
  ms: number,
  send: () => void,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const settle = (answer: T | null) => {
      clearTimeout(timer);
      waiting.delete(ask);
      resolve(answer ?? undefined);
    };
    const timer = setTimeout(() => settle(null), ms);
    waiting.set(ask, settle);
    send();
  });
}
