/** What an experiment can change: decisions on offers, pages of recommendations, or both. */
import type { Experiment, ExperimentVariant } from './decision-policy.ts';

/** An experiment whose variants change nothing (A/A) concerns everything. */
export function concernsOffers({ variants }: Pick<Experiment, 'variants'>): boolean {
  return variants.some(changesOffers) || !variants.some(changesPages);
}

/** To whom no decision was made, it has done nothing. */
export function concernsOffersAlone({ variants }: Pick<Experiment, 'variants'>): boolean {
  return variants.some(changesOffers) && !variants.some(changesPages);
}

export function changesPages({ scenarios, collaborativeModel }: ExperimentVariant): boolean {
  return scenarios !== undefined || collaborativeModel !== undefined;
}

export function changesOffers(variant: ExperimentVariant): boolean {
  const {
    name: _name,
    weight: _weight,
    scenarios: _scenarios,
    collaborativeModel: _collaborativeModel,
    ...changes
  } = variant;
  return Object.values(changes).some((change) => change !== undefined);
}
