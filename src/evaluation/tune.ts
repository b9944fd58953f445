/**
 * Searches hyper-parameters of a protocol's models on a validation part of the training file, each in its share of the time.
 */
import type { Kernels } from '../algorithms/kernels/kernels.ts';
import { createRng } from '../algorithms/rng.ts';
import { UsageError } from '../domain/errors.ts';
import { checkNames } from './measure.ts';
import type { Model } from './model.ts';
import { paramsOf } from './params-file.ts';
import type { Protocol, Task } from './protocol.ts';
import type { Trial } from './search/propose.ts';
import { search } from './search/search.ts';
import type { TrialStore } from './search/trial-store.ts';

export type TuneOptions = {
  trainPath: string;
  /** Names of models; empty: all that have hyper-parameters and fit. */
  only: readonly string[];
  /** For all models together, in this run and those before it. */
  budgetSeconds: number;
  seed: number;
  /** Where trials are kept, and the best of them. */
  store: TrialStore;
  kernels: Kernels;
  clock: () => number;
  signal?: AbortSignal | undefined;
  onData: (summary: string) => void;
  onSkipped: (model: string, reason: string) => void;
  /** Told each trial and the best so far, and with `resumed` how many were known before. */
  onTrial: (model: string, trial: Trial, best: Trial | undefined) => void;
  onResumed: (model: string, trials: number) => void;
};

export type Tuned = { model: string; trials: number; seconds: number; best: Trial | undefined };

/** UsageError for a file or name that is wrong, and where nothing is left to tune. */
export async function tune<Data, Scorer extends { release?: () => void }>(
  protocol: Protocol<Data, Scorer>,
  options: TuneOptions,
): Promise<Tuned[]> {
  const { only, budgetSeconds, seed, store, clock, signal } = options;
  checkNames(protocol, only);
  const task = await protocol.readValidation(options.trainPath, seed);
  options.onData(task.summary);
  const models = tunable(protocol, task, options);
  const tuned: Tuned[] = [];
  let left = budgetSeconds;
  for (const [n, model] of models.entries()) {
    const trials = store.trialsOf(model.name);
    if (trials.length > 0) options.onResumed(model.name, trials.length);
    const found = await search({
      space: model.space,
      start: paramsOf(model, {}),
      evaluate: (params, trialSignal) =>
        qualityOf(protocol, task, model, params, { ...options, signal: trialSignal }),
      seed,
      budgetSeconds: left / (models.length - n),
      trials,
      onTrials: async (all) => {
        await store.keep(model.name, all);
        const last = all.at(-1);
        if (last) options.onTrial(model.name, last, store.bestOf(model.name));
      },
      clock,
      signal,
    });
    const seconds = found.trials.reduce((sum, trial) => sum + trial.seconds, 0);
    left = Math.max(0, left - seconds);
    tuned.push({ model: model.name, trials: found.trials.length, seconds, best: found.best });
  }
  return tuned;
}

function tunable<Data, Scorer>(
  protocol: Protocol<Data, Scorer>,
  { data }: Task<Data, Scorer>,
  { only, onSkipped }: TuneOptions,
): Model<Data, Scorer>[] {
  const combined = protocol.combinations(protocol.models, {}).find(({ name }) => only.includes(name));
  if (combined)
    throw new UsageError(
      `${combined.name} learns its weights whenever it is fitted; tune the models that it is made of: ` +
        `${protocol.models
          .filter(hasParams)
          .map(({ name }) => name)
          .join(', ')}.`,
    );
  const chosen = protocol.models.filter((model) => {
    if (only.length > 0 && !only.includes(model.name)) return false;
    const reason = hasParams(model) ? model.refusal(data) : 'It has no hyper-parameters.';
    if (reason !== undefined && (only.length > 0 || hasParams(model))) onSkipped(model.name, reason);
    return reason === undefined;
  });
  if (chosen.length === 0) throw new UsageError('There is nothing to tune.');
  return chosen;
}

function hasParams<Data, Scorer>(model: Model<Data, Scorer>): boolean {
  return Object.keys(model.space).length > 0;
}

/** The mean of the protocol's first two figures. */
async function qualityOf<Data, Scorer extends { release?: () => void }>(
  protocol: Protocol<Data, Scorer>,
  { data, judge }: Task<Data, Scorer>,
  model: Model<Data, Scorer>,
  params: Trial['params'],
  { kernels, seed, signal }: Pick<TuneOptions, 'kernels' | 'seed' | 'signal'>,
): Promise<number> {
  const rng = createRng(seed, 'model', model.name);
  const scorer = await model.fit(data, params, { kernels, rng, onProgress: () => {}, signal });
  try {
    const figures = await judge(scorer);
    const [first, second] = protocol.metrics;
    return ((figures[first] ?? Number.NaN) + (figures[second] ?? Number.NaN)) / 2;
  } finally {
    scorer.release?.();
  }
}
