/** Threads that decide: reading records is half of the work, and a campaign is not to wait for one core. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { CustomerId } from '../../domain/ids.ts';
import { askThreads } from '../../infra/asked-threads.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import type { Shares } from './batch-deciding.ts';
import type { BatchThreadData, BatchThreadReply, BatchThreadRequest } from './batch-thread.ts';
import type { DecidedRows } from './result-rows.ts';

export type BatchPool = {
  threads: number;
  /** As `encodeWanted` writes it. */
  value: (customerIds: CustomerId[], offerIds: string[], width: number) => Promise<Uint8Array>;
  /** `at`: place of the first of them in the list; `customersLeft`: how many of that there are from there on. */
  decide: (
    customerIds: CustomerId[],
    at: number,
    shares: Shares | undefined,
    customersLeft: number,
  ) => Promise<DecidedRows>;
  /** Gives back what the threads have not spent on exploring, and answers what that has cost; minor units. */
  close: () => Promise<{ exploredMinor: number }>;
};

// Without the number, which the pool gives.
type Asked = BatchThreadRequest extends infer R ? (R extends unknown ? Omit<R, 'request'> : never) : never;

/**
 * Room for new objects. In the usual 16 MB, those of a chunk whose answers are under way are copied over and over, which takes a third
 * of the time; in this much nearly all of them are gone when it is full.
 */
const maxYoungGenerationSizeMb = 96;

/** A thread that has failed, or whose Redis is away, is not waited for: what it had to explore with is lost. */
const endMs = 2000;

export async function openBatchPool(threads: number, data: BatchThreadData): Promise<BatchPool> {
  const open = () =>
    new Worker(builtEntry('./batch-thread.js', import.meta.url), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb },
    });
  const { ask, close } = await askThreads<Asked, BatchThreadReply>(threads, open, 'a thread of the batch');
  return {
    threads,
    async value(customerIds, offerIds, width) {
      const reply = await ask({ kind: 'value', customerIds, offerIds, width });
      if (!('wanted' in reply)) throw new Error('a thread of the batch answered something else');
      return reply.wanted;
    },
    async decide(customerIds, at, shares, customersLeft) {
      const reply = await ask({ kind: 'decide', customerIds, at, shares, customersLeft });
      if (!('rows' in reply)) throw new Error('a thread of the batch answered something else');
      return reply.rows;
    },
    async close() {
      let exploredMinor = 0;
      // What is asked goes round: each is asked once.
      const ended = Array.from({ length: threads }, async () => {
        const reply = await ask({ kind: 'end' });
        if ('exploredMinor' in reply) exploredMinor += reply.exploredMinor;
      });
      await Promise.race([Promise.allSettled(ended), delay(endMs, undefined, { ref: false })]);
      await close();
      return { exploredMinor };
    },
  };
}
