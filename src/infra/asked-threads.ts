/** Threads that are asked and answer, each in its turn: what is asked of one that has failed is refused, and nothing waits for ever. */
import type { Worker } from 'node:worker_threads';

/** A thread says first that it is ready, and then answers each request under its number, or says why not. */
export type ThreadReply = { ready: true } | { request: number; error: unknown } | { request: number };
/** Of these, the answers. */
export type ThreadAnswer<Reply> = Exclude<Reply, { ready: true } | { error: unknown }>;

export type AskedThreads<Asked, Answer> = {
  ask: (asked: Asked) => Promise<Answer>;
  /** Ends them, whatever they are at. */
  close: () => Promise<void>;
};

/**
 * Waits until all are ready; where one does not start, ends the others and rejects. `name`: what they are, as a person reads it:
 * `a thread that …`. What is asked goes to them as it is, with the number of the request besides.
 */
export async function askThreads<Asked extends object, Reply extends ThreadReply>(
  threads: number,
  open: () => Worker,
  name: string,
): Promise<AskedThreads<Asked, ThreadAnswer<Reply>>> {
  const workers = Array.from({ length: threads }, open);
  let started: AskedThreads<Asked, ThreadAnswer<Reply>>[];
  try {
    started = await Promise.all(workers.map((worker) => startThread<Asked, Reply>(worker, name)));
  } catch (err) {
    // Nobody else knows of those that did start, or still do.
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw err;
  }
  let turn = 0;
  return {
    // What is asked is alike.
    ask: async (asked) => {
      const thread = started[turn++ % started.length];
      if (thread === undefined) throw new RangeError('a pool needs a thread');
      return await thread.ask(asked);
    },
    close: async () => {
      await Promise.all(started.map(({ close }) => close()));
    },
  };
}

async function startThread<Asked extends object, Reply extends ThreadReply>(
  worker: Worker,
  name: string,
): Promise<AskedThreads<Asked, ThreadAnswer<Reply>>> {
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`${name} ended before it began`)));
  });
  type Waiting = { resolve: (reply: ThreadAnswer<Reply>) => void; reject: (cause: unknown) => void };
  const waiting = new Map<number, Waiting>();
  let requests = 0;
  let failure: unknown;
  const fail = (cause: unknown) => {
    failure ??= cause;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on('message', (reply: Reply) => {
    if ('ready' in reply) return;
    const asked = waiting.get(reply.request);
    waiting.delete(reply.request);
    if ('error' in reply) asked?.reject(reply.error);
    else asked?.resolve(reply as ThreadAnswer<Reply>);
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error(`${name} has ended`)));
  return {
    ask: (asked) => {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const request = requests++;
        waiting.set(request, { resolve, reject });
        worker.postMessage({ ...asked, request });
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
