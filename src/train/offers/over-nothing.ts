/**
 * Whether what decides on offers now earns more than saying nothing, as far as the last training of the offer model could tell:
 * in the long run (earnings, and what staying is worth), minor units a decision, with its interval. undefined: there was no
 * training, or it is not known who stayed.
 */
import type { Estimate } from '../../algorithms/off-policy/estimate.ts';
import type { ListedModel } from '../../infra/model-store.ts';

export type OverNothing = Pick<Estimate, 'value' | 'lower' | 'upper'>;

/** `models` as `listModels` has them: of a name, the newest first. */
export function overNothing(models: readonly ListedModel[]): OverNothing | undefined {
  const newest = models.find(({ manifest }) => manifest.name === 'offers');
  if (newest === undefined) return undefined;
  // Where the newest version is not served, what it was held against is.
  const name = newest.current ? 'longRunOverNothing' : 'championLongRunOverNothing';
  const { [name]: value, [`${name}Lower`]: lower, [`${name}Upper`]: upper } = newest.manifest.metrics;
  return value === undefined || lower === undefined || upper === undefined
    ? undefined
    : { value, lower, upper };
}
