/** What a model must offer to be measured and tuned, whatever it learns from. */
import { z } from 'zod';
import type { Kernels } from '../algorithms/kernels/kernels.ts';
import type { Rng } from '../algorithms/rng.ts';
import type { Params, SearchSpace } from './search/space.ts';

export type FitContext = {
  kernels: Kernels;
  rng: Rng;
  /** Told the share of the fit that is done. */
  onProgress: (share: number) => void;
  /** Ends a fit that nobody waits for any more. */
  signal?: AbortSignal | undefined;
};

/** A model of `Data` whose hyper-parameters are checked but not told apart by type: what a registry holds. */
export type Model<Data, Scorer> = {
  name: string;
  /** Checks hyper-parameters and fills in defaults; unknown ones are refused. */
  params: z.ZodType<Params>;
  /** What `nextbest tune` tries of them; empty where there is nothing to tune. */
  space: SearchSpace;
  /** Why it cannot learn from these data, and what to use instead. */
  refusal: (data: Data) => string | undefined;
  fit: (data: Data, params: Params, context: FitContext) => Promise<Scorer>;
};

type Definition<Data, Scorer, P extends Params> = {
  name: string;
  params: z.ZodType<P>;
  space?: SearchSpace;
  refusal?: (data: Data) => string | undefined;
  fit: (data: Data, params: P, context: FitContext) => Promise<Scorer> | Scorer;
};

/** A registry's entry from a model whose `fit` knows its hyper-parameters by type. */
export function defineModel<Data, Scorer, P extends Params>(
  definition: Definition<Data, Scorer, P>,
): Model<Data, Scorer> {
  const { name, params, space = {}, refusal = () => undefined } = definition;
  return {
    name,
    params,
    space,
    refusal,
    fit: async (data, given, context) => definition.fit(data, params.parse(given), context),
  };
}

/** Hyper-parameters of a model that has none. */
export const NoParams = z.strictObject({});
