/**
 * What contacting the customers of a ranking brings, from the top down: uplift of a top share and the Qini coefficient, for any
 * number of actions and logged propensities.
 */
import { type Estimate, estimateOf, unknownEstimate } from './estimate.ts';
import type { LoggedActions, RewardModel } from './logged-actions.ts';

export type Ranking = {
  /** By decision: the higher, the earlier it is contacted. Equal scores share what they hold. */
  score: Float64Array;
  /** By decision: the action that it would get. */
  action: Int32Array;
};

/**
 * By decision, an unbiased score of what its action of the ranking brings over doing nothing: the doubly robust
 * (Robins et al. 1994) ψ_a − ψ_none, where ψ_a = m(x, a) + 1[aᵢ = a] · (rᵢ − m(x, a)) / π₀. With a model that is 0 throughout
 * these are inverse propensity scores.
 */
export function effectScores(
  log: LoggedActions,
  none: number,
  assigned: Int32Array,
  model: RewardModel,
): Float64Array {
  return Float64Array.from(assigned, (action, row) => {
    if (action === none) return 0;
    const taken = log.action[row]!;
    const expected = model(row, action) - model(row, none);
    if (taken !== action && taken !== none) return expected;
    const fault = (log.reward[row]! - model(row, taken)) / log.propensity[row]!;
    return expected + (taken === action ? fault : -fault);
  });
}

/**
 * Mean effect, a decision, among the `share` (0 to 1] of highest score. Decisions of the score at the edge count in part, so that
 * the answer does not depend on how ties are ordered. The interval takes the edge as given.
 */
export function upliftAtTop(
  effects: Float64Array,
  ranking: Pick<Ranking, 'score'>,
  share: number,
  customer?: Int32Array,
): Estimate {
  const inside = insideTop(ranking.score, share);
  let room = 0;
  let sum = 0;
  for (let row = 0; row < inside.length; row++) {
    room += inside[row]!;
    sum += inside[row]! * effects[row]!;
  }
  if (!(room > 0)) return unknownEstimate;
  const value = sum / room;
  const mean = room / inside.length;
  return estimateOf(
    value,
    inside.map((part, row) => (part * (effects[row]! - value)) / mean),
    customer,
  );
}

/**
 * Qini coefficient in the unit of the reward, a decision: the area between Q and the straight line to Q(1),
 * ∫₀¹ (Q(φ) − φ · Q(1)) dφ, where Q(φ) = φ · (mean effect among the top φ) is what contacting that share brings to everybody
 * (Radcliffe 2007, with doubly robust scores in place of counts). 0: no better than contacting at random.
 */
export function qini(effects: Float64Array, { score }: Pick<Ranking, 'score'>): number {
  const n = effects.length;
  if (n === 0) return Number.NaN;
  const order = descending(score);
  let total = 0;
  for (const effect of effects) total += effect;
  let area = 0;
  let reached = 0;
  for (let start = 0; start < n; ) {
    let end = start;
    let sum = 0;
    for (; end < n && score[order[end]!] === score[order[start]!]; end++) sum += effects[order[end]!]!;
    // Between two edges of tied scores the curve is straight.
    area += ((reached + sum / 2) * (end - start)) / n;
    reached += sum;
    start = end;
  }
  return (area - total / 2) / n;
}

/** 1 for a decision inside the top share, 0 for one outside; of those at the edge, each the part that has room. */
function insideTop(score: Float64Array, share: number): Float64Array {
  const n = score.length;
  const order = descending(score);
  const inside = new Float64Array(n);
  let room = share * n;
  for (let start = 0; start < n && room > 0; ) {
    let end = start;
    while (end < n && score[order[end]!] === score[order[start]!]) end++;
    const part = Math.min(1, room / (end - start));
    for (let p = start; p < end; p++) inside[order[p]!] = part;
    room -= end - start;
    start = end;
  }
  return inside;
}

function descending(score: Float64Array): Int32Array {
  return Int32Array.from(score, (_score, row) => row).sort((a, b) => score[b]! - score[a]!);
}
