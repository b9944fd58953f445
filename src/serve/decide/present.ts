/** A decision as it is answered: terms and inputs only for those who ask for them. */
import type { Decision } from '../../domain/decision.ts';

export function presentDecision(decision: Decision, explain: boolean): Decision {
  if (explain) return decision;
  const { inputs: _inputs, ...rest } = decision;
  return {
    ...rest,
    placements: decision.placements.map((place) => ({
      ...place,
      offers: place.offers.map(({ terms: _terms, ...offer }) => offer),
    })),
    excluded: decision.excluded.map(({ offerId, offerVersion, reasonCode }) => ({
      offerId,
      offerVersion,
      reasonCode,
    })),
  };
}

/** What a decision came to, for the metrics. */
export function answerOf({ placements }: Decision): 'offer' | 'fallback' | 'nothing' {
  const filled = placements.filter(({ offers }) => offers.length > 0);
  if (filled.some(({ fallback }) => !fallback)) return 'offer';
  return filled.length > 0 ? 'fallback' : 'nothing';
}
