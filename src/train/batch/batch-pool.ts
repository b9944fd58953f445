/** Threads that decide: reading records is half of the work, and a campaign is not to wait for one core. */
import { Worker } from 'node:worker_threads';
import type { CustomerId } from '../../domain/ids.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import type { Shares } from './batch-deciding.ts';
import type { BatchThreadData, BatchThreadReply, BatchThreadRequest } from './batch-thread.ts';
import type { DecidedRows } from './result-rows.ts';

export type BatchPool = {
  threads: number;
  /** As `encodeWanted` writes it. */
  value: (customerIds: CustomerId[], offerIds: string[], width: number) => Promise<Uint8Array>;
  /** `at`: place of the first of them in the list. */
  decide: (customerIds: CustomerId[], at: number, shares: Shares | undefined) => Promise<DecidedRows>;
  close: () => Promise<void>;
};

// Without the number, which the pool gives.
type Asked = BatchThreadRequest extends infer R ? (R extends unknown ? Omit<R, 'request'> : never) : never;
type Answered = Exclude<BatchThreadReply, { ready: true }>;

export async function openBatchPool(threads: number, data: BatchThreadData): Promise<BatchPool> {
  const started = await Promise.all(Array.from({ length: threads }, () => startThread(data)));
  let turn = 0;
  const ask = async (asked: Asked): Promise<Answered> => {
    const thread = started[turn++ % started.length];
    if (thread === undefined) throw new RangeError('a pool needs a thread');
    return thread.ask(asked);
  };
  return {
    threads,
    async value(customerIds, offerIds, width) {
      const reply = await ask({ kind: 'value', customerIds, offerIds, width });
      if (!('wanted' in reply)) throw new Error('a thread of the batch answered something else');
      return reply.wanted;
    },
    async decide(customerIds, at, shares) {
      const reply = await ask({ kind: 'decide', customerIds, at, shares });
      if (!('rows' in reply)) throw new Error('a thread of the batch answered something else');
      return reply.rows;
    },
    close: async () => {
      await Promise.all(started.map(({ close }) => close()));
    },
  };
}

/**
 * Room for new objects. In the usual 16 MB, those of a chunk whose answers are under way are copied over and over, which takes a third
 * of the time; in this much nearly all of them are gone when it is full.
 */
const maxYoungGenerationSizeMb = 96;

async function startThread(data: BatchThreadData) {
  const worker = new Worker(builtEntry('./batch-thread.js', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('a thread of the batch ended before it began')));
  });
  const waiting = new Map<number, { resolve: (reply: Answered) => void; reject: (cause: unknown) => void }>();
  let requests = 0;
  let failure: unknown;
  const fail = (cause: unknown) => {
    failure ??= cause;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on('message', (reply: BatchThreadReply) => {
    if ('ready' in reply) return;
    const asked = waiting.get(reply.request);
    waiting.delete(reply.request);
    if ('error' in reply) asked?.reject(reply.error);
    else asked?.resolve(reply);
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread of the batch has ended')));
  return {
    ask: (asked: Asked): Promise<Answered> => {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const request = requests++;
        waiting.set(request, { resolve, reject });
        worker.postMessage({ ...asked, request } as BatchThreadRequest);
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
