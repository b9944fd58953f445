/**
 * Answers to questions that take seconds: each is worked out once for all who ask it meanwhile, one question after the
 * other, and kept until what it was read from has grown. On data that grows all the time, an answer is kept for ten times
 * as long as it took, so that no more than about a tenth of the time goes into it: unless it is one that must not outlive
 * what it was read from, such as "there is none yet".
 */
import { LRUCache } from 'lru-cache';
import { AppError } from '../domain/errors.ts';

export type AnswerDesk<Q, A> = {
  ask: (question: Q) => Promise<{ answer: A; computedAt: number }>;
  /** Ends what is being worked out, and waits for that. */
  close: () => Promise<void>;
};

export type AnswerDeskOptions<Q, A> = {
  work: (question: Q, signal: AbortSignal) => Promise<A>;
  /** Names the state of what answers are read from. */
  stateOf: () => string | Promise<string>;
  /** Milliseconds. */
  now: () => number;
  /** May this answer be given although the data has grown since? Absent: any may. */
  mayBeOld?: (answer: A) => boolean;
  answersMax?: number;
  /** Other questions that wait. */
  waitingMax?: number;
  /** Who asks the same meanwhile: each holds a request. */
  joiningMax?: number;
};

type Kept<A> = { answer: A; computedAt: number; state: string; keptUntil: number };

const keptTimesAsLong = 10;

/**
 * Rejects with TOO_MANY_REQUESTS where more than `waitingMax` other questions wait, or `joiningMax` for this one. Questions are
 * the same when their JSON is.
 */
export function createAnswerDesk<Q, A>(options: AnswerDeskOptions<Q, A>): AnswerDesk<Q, A> {
  const {
    work,
    stateOf,
    now,
    mayBeOld = () => true,
    answersMax = 32,
    waitingMax = 8,
    joiningMax = 250,
  } = options;
  const kept = new LRUCache<string, Kept<A>>({ max: answersMax });
  const underWay = new Map<string, { promise: Promise<Kept<A>>; joined: number }>();
  const ending = new AbortController();
  let last: Promise<unknown> = Promise.resolve();

  async function workOut(key: string, question: Q): Promise<Kept<A>> {
    ending.signal.throwIfAborted();
    const state = await stateOf();
    const startedAt = now();
    const answer = await work(question, ending.signal);
    const computedAt = now();
    const entry = {
      answer,
      computedAt,
      state,
      keptUntil: mayBeOld(answer) ? computedAt + keptTimesAsLong * (computedAt - startedAt) : startedAt,
    };
    kept.set(key, entry);
    return entry;
  }

  return {
    ask: async (question) => {
      const key = JSON.stringify(question);
      const known = kept.get(key);
      if (known !== undefined && (now() < known.keptUntil || known.state === (await stateOf()))) return known;
      const running = underWay.get(key);
      if (running !== undefined) {
        if (running.joined >= joiningMax)
          throw new AppError('TOO_MANY_REQUESTS', {
            public: `${running.joined + 1} others wait for the same answer. Ask again later.`,
            retryAfterSeconds: 10,
          });
        running.joined++;
        return await running.promise;
      }
      if (underWay.size > waitingMax)
        throw new AppError('TOO_MANY_REQUESTS', {
          public: `${underWay.size} other questions are being worked out. Ask again later.`,
          retryAfterSeconds: 10,
        });
      const promise = last.then(() => workOut(key, question)).finally(() => underWay.delete(key));
      underWay.set(key, { promise, joined: 0 });
      last = promise.catch(() => {});
      return await promise;
    },
    close: async () => {
      ending.abort();
      await last;
    },
  };
}
