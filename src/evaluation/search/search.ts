/** Tries hyper-parameters until the time is up, and keeps every trial as soon as it is done. */
import { bestTrial, propose, type Trial } from './propose.ts';
import type { Params, SearchSpace } from './space.ts';

export type Search = {
  space: SearchSpace;
  /** Tried first: the defaults. */
  start: Params;
  /** The figure to make as high as possible. What it throws makes a failed trial, and the search goes on. */
  evaluate: (params: Params, signal: AbortSignal) => Promise<number>;
  seed: number;
  /** For all trials together, those of earlier runs included. */
  budgetSeconds: number;
  /** Trials of an earlier run, in their order. */
  trials?: readonly Trial[];
  /** Told all trials after each: where they are kept. */
  onTrials?: (trials: readonly Trial[]) => void | Promise<void>;
  /** Milliseconds that only ever grow. */
  clock: () => number;
  /** Stops the search between trials, and the trial that is under way. */
  signal?: AbortSignal | undefined;
};

/** A timer of more than 24 days would end at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The best trial and all others. The trial under way when the time is up is broken off and not counted, unless it is the
 * first: then `best` would be unknown. Rejects with the signal's reason when it aborts.
 */
export async function search(options: Search): Promise<{ best: Trial | undefined; trials: Trial[] }> {
  const { space, start, evaluate, seed, budgetSeconds, onTrials, clock, signal } = options;
  const trials = [...(options.trials ?? [])];
  let spent = trials.reduce((sum, { seconds }) => sum + seconds, 0);
  while (trials.length === 0 || spent < budgetSeconds) {
    signal?.throwIfAborted();
    const params = propose(space, start, trials, seed);
    if (params === undefined) break;
    const timeout = new AbortController();
    const timer =
      trials.length > 0
        ? setTimeout(
            () => timeout.abort(),
            Math.min(longestTimerMs, 1000 * Math.max(0, budgetSeconds - spent)),
          )
        : undefined;
    const startedAt = clock();
    const outcome = await attempt(
      evaluate,
      params,
      AbortSignal.any([timeout.signal, ...(signal ? [signal] : [])]),
    );
    clearTimeout(timer);
    signal?.throwIfAborted();
    if (timeout.signal.aborted) break;
    const seconds = (clock() - startedAt) / 1000;
    trials.push({ params, seconds, ...outcome });
    spent += seconds;
    await onTrials?.(trials);
  }
  return { best: bestTrial(trials), trials };
}

async function attempt(
  evaluate: Search['evaluate'],
  params: Params,
  signal: AbortSignal,
): Promise<Pick<Trial, 'quality' | 'fault'>> {
  try {
    const quality = await evaluate(params, signal);
    return Number.isFinite(quality) ? { quality } : { quality: null, fault: `the quality is ${quality}` };
  } catch (err) {
    return { quality: null, fault: err instanceof Error ? err.message : String(err) };
  }
}
