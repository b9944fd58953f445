/** Threads that score: a million customers are too many for one core, and reading records is half of the work. */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../history/score-snapshots.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import type { Config } from '../../infra/config.ts';
import type { BatchScorer, ScoredBatch } from './score-customers.ts';
import type { ScoreReply, ScoreRequest } from './score-thread.ts';

export type ScoreThreadData = {
  redisUrl: string;
  keyPrefix: string;
  logLevel: Config['logLevel'];
  modelsDir: string;
  versions: Snapshot['models'];
  now: number;
  /** Whoever's risk comes above it is told of by webhook; null: nobody is. */
  riskAbove: number | null;
};

export type ScorePool = { threads: number; score: BatchScorer; close: () => Promise<void> };

export async function openScorePool(threads: number, data: ScoreThreadData): Promise<ScorePool> {
  const started = await Promise.all(Array.from({ length: threads }, () => startThread(data)));
  let turn = 0;
  return {
    threads,
    // Each in its turn: batches are alike.
    score: (customerIds) => {
      const thread = started[turn++ % started.length];
      if (thread === undefined) throw new RangeError('a pool needs a thread');
      return thread.score(customerIds);
    },
    close: async () => {
      await Promise.all(started.map(({ close }) => close()));
    },
  };
}

async function startThread(
  data: ScoreThreadData,
): Promise<{ score: BatchScorer; close: () => Promise<void> }> {
  const worker = new Worker(builtEntry('./score-thread.js', import.meta.url), { workerData: data });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('a thread that scores ended before it began')));
  });
  const waiting = new Map<
    number,
    { resolve: (batch: ScoredBatch) => void; reject: (cause: unknown) => void }
  >();
  let requests = 0;
  let failure: unknown;
  const fail = (cause: unknown) => {
    failure ??= cause;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on('message', (reply: ScoreReply) => {
    if ('ready' in reply) return;
    const asked = waiting.get(reply.request);
    waiting.delete(reply.request);
    if ('batch' in reply) asked?.resolve(reply.batch);
    else asked?.reject(reply.error);
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread that scores has ended')));
  return {
    score: (customerIds) => {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const request = requests++;
        waiting.set(request, { resolve, reject });
        worker.postMessage({ request, customerIds } satisfies ScoreRequest);
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
