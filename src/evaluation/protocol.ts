/** What a public protocol is made of: files, models, figures. */
import type { Model } from './model.ts';
import type { ParamsByModel } from './params-file.ts';

/** `train` and `test` are the history and the future where a protocol has baskets. */
export type ProtocolFiles = { train: string; test: string; negatives?: string | undefined };

/** Data to learn from, and how well a scorer foretells what is not among them. */
export type Task<Data, Scorer> = {
  data: Data;
  /** Sizes, for a line on the terminal. */
  summary: string;
  /** The protocol's figures by their names. */
  judge: (scorer: Scorer) => Promise<Record<string, number>>;
};

export type Protocol<Data, Scorer> = {
  /** The protocol's figures, in the order of the published tables; the mean of the first two is what `tune` makes high. */
  metrics: readonly [string, string, ...string[]];
  /** Models that stand for themselves. */
  models: readonly Model<Data, Scorer>[];
  /** Models that are made of others: of `models` as they are given, with their hyper-parameters. */
  combinations: (
    models: readonly Model<Data, Scorer>[],
    params: ParamsByModel,
  ) => readonly Model<Data, Scorer>[];
  readTask: (files: ProtocolFiles, seed: number) => Promise<Task<Data, Scorer>>;
  /** The same of the training file alone, of which a part is held out. */
  readValidation: (trainPath: string, seed: number) => Promise<Task<Data, Scorer>>;
};
