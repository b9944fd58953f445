/** Threads that score: a million customers are too many for one core, and reading records is half of the work. */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../history/score-snapshots.ts';
import { askThreads } from '../../infra/asked-threads.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import type { Config } from '../../infra/config.ts';
import type { BatchScorer } from './score-customers.ts';
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
  const open = () => new Worker(builtEntry('./score-thread.js', import.meta.url), { workerData: data });
  const { ask, close } = await askThreads<Omit<ScoreRequest, 'request'>, ScoreReply>(
    threads,
    open,
    'a thread that scores',
  );
  return { threads, score: async (customerIds) => (await ask({ customerIds })).batch, close };
}
