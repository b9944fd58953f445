/** Fits the models of a protocol and measures each on the protocol's test. */
import type { Kernels } from '../algorithms/kernels/kernels.ts';
import { createRng } from '../algorithms/rng.ts';
import { UsageError } from '../domain/errors.ts';
import type { Model } from './model.ts';
import { paramsOf, readParams } from './params-file.ts';
import type { Protocol, ProtocolFiles } from './protocol.ts';
import { SharedFits } from './shared-fits.ts';

export type MeasureOptions = {
  files: ProtocolFiles;
  /** Names of models; empty: all that fit. */
  only: readonly string[];
  /** File of hyper-parameters; undefined: the defaults. */
  paramsPath: string | undefined;
  seed: number;
  kernels: Kernels;
  /** Milliseconds that only ever grow. */
  clock: () => number;
  signal?: AbortSignal | undefined;
  /** Told what was read. */
  onData: (summary: string) => void;
  /** Told that a model that nobody named is left out, and why. */
  onSkipped: (model: string, reason: string) => void;
  onProgress: (model: string, share: number) => void;
  onMeasured: (line: MeasuredLine) => void;
};

/** The protocol's figures beside the name, and the seconds that learning took, of everything that the model is made of. */
export type MeasuredLine = { model: string; figures: Record<string, number>; fitSeconds: number };

/** UsageError for files and names that are wrong, and for a named model that cannot learn from the data. */
export async function measure<Data, Scorer extends { release?: () => void }>(
  protocol: Protocol<Data, Scorer>,
  options: MeasureOptions,
): Promise<void> {
  const { files, only, paramsPath, seed, kernels, clock, signal } = options;
  const params = paramsPath === undefined ? {} : await readParams(paramsPath, protocol.models);
  checkNames(protocol, only);
  const { data, summary, judge } = await protocol.readTask(files, seed);
  options.onData(summary);
  const fits = new SharedFits<Data, Scorer>(data, seed, clock);
  const single = protocol.models.map((model) => fits.wrap(model));
  const models: Model<Data, Scorer>[] = [...single, ...protocol.combinations(single, params)];
  try {
    for (const model of models.filter(({ name }) => only.length === 0 || only.includes(name))) {
      const refusal = model.refusal(data);
      if (refusal !== undefined) {
        if (only.length > 0) throw new UsageError(`${model.name} cannot be fitted to these data. ${refusal}`);
        options.onSkipped(model.name, refusal);
        continue;
      }
      const saved = fits.savedSeconds;
      const startedAt = clock();
      const onProgress = (share: number) => options.onProgress(model.name, share);
      const rng = createRng(seed, 'model', model.name);
      const scorer = await model.fit(data, paramsOf(model, params), { kernels, rng, onProgress, signal });
      const fitSeconds = (clock() - startedAt) / 1000 + fits.savedSeconds - saved;
      const figures = await judge(scorer);
      scorer.release?.();
      options.onMeasured({ model: model.name, figures, fitSeconds });
    }
  } finally {
    fits.release();
  }
}

/** UsageError for a name that no model of the protocol has. */
export function checkNames<Data, Scorer>(protocol: Protocol<Data, Scorer>, names: readonly string[]): void {
  const known = [...protocol.models, ...protocol.combinations(protocol.models, {})].map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `There is no model ${unknown.join(', ')} in this protocol; there are ${known.join(', ')}.`,
    );
}
