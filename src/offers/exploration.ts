/**
 * Exploration: how likely each of several offers is made, where their values are not known for certain. An action is drawn
 * from these very probabilities, so that the one that is logged is right by construction.
 */
import { bestOfNormals } from '../algorithms/best-of-normals.ts';
import type { Exploration } from '../domain/decision-policy.ts';

/** How a subject's decisions explore, and out of which purse that is paid. */
export type ExplorationSettings = Exploration & { purse: string };

export const shopPurse = '';

/** Of a variant that names a bound of its own. */
export function purseOf({ name, variant }: { name: string; variant: string }): string {
  return `${name}:${variant}`;
}

/** What is known of the value of making an offer; of saying nothing, both are 0. Minor units. */
export type UncertainValue = { mean: number; deviation: number };

/** An offer that is worth less than nothing is tried only while it may be worth more: up to so many deviations. */
const hopeDeviations = 2;

/** Offers that are drawn from at most: those that may be worth most. */
const contendersMax = 12;

/**
 * What would be drawn more rarely than this never is: whoever learns from the log weighs a decision by one over its
 * probability.
 */
const leastProbability = 0.001;

/**
 * Probability of each value's action, in their order, and last of saying nothing. Sums to 1. `values` come best first, as
 * they are made without exploration.
 *
 * - `thompson`: that it is the best of all and of saying nothing, each value being normal.
 * - `epsilonGreedy`: ε shared evenly by nothing and all that may be worth more than nothing, the rest for the best.
 * - `none`: 1 for the best.
 */
export function actionProbabilities(
  values: readonly UncertainValue[],
  { method, epsilon }: Exploration,
): Float64Array {
  const best = greedyAction(values);
  if (method === 'none') return certainly(best, values.length);
  const contenders = contendersOf(values);
  const probabilities = new Float64Array(values.length + 1);
  if (method === 'epsilonGreedy') {
    const share = epsilon / (contenders.length + 1);
    for (const action of contenders) probabilities[action] = share;
    probabilities[values.length] = share;
    probabilities[best] = (probabilities[best] ?? 0) + 1 - epsilon;
    return probabilities;
  }
  const wins = bestOfNormals(
    contenders.map((action) => values[action]?.mean ?? 0),
    contenders.map((action) => values[action]?.deviation ?? 0),
    0,
  );
  let nothing = 1;
  for (const win of wins) nothing -= win;
  let kept = 0;
  const keep = (action: number, probability: number) => {
    if (probability < leastProbability) return;
    probabilities[action] = probability;
    kept += probability;
  };
  for (let at = 0; at < contenders.length; at++) keep(contenders[at] ?? 0, wins[at] ?? 0);
  keep(values.length, nothing);
  for (let action = 0; action < probabilities.length; action++)
    probabilities[action] = (probabilities[action] ?? 0) / kept;
  return probabilities;
}

/** All probability on one action of `count` offers and nothing. */
export function certainly(action: number, count: number): Float64Array {
  const probabilities = new Float64Array(count + 1);
  probabilities[action] = 1;
  return probabilities;
}

/** The same for each of `count` offers and for nothing. */
export function evenly(count: number): Float64Array {
  return new Float64Array(count + 1).fill(1 / (count + 1));
}

/** The first of `values` where it is worth more than nothing, else the action after the last: nothing. */
export function greedyAction(values: readonly UncertainValue[]): number {
  return (values[0]?.mean ?? 0) > 0 ? 0 : values.length;
}

/** What drawing costs in expectation, beside doing the best: Σ π(a) · (v* − v(a)). Not negative. */
export function explorationCost(values: readonly UncertainValue[], probabilities: ArrayLike<number>): number {
  const best = Math.max(0, values[0]?.mean ?? 0);
  let cost = (probabilities[values.length] ?? 0) * best;
  for (let action = 0; action < values.length; action++)
    cost += (probabilities[action] ?? 0) * (best - (values[action]?.mean ?? 0));
  return cost;
}

/**
 * Below what drawing by `actionProbabilities` costs, where anything but the best could be drawn at all: with `thompson` what could be is drawn
 * with the least probability at least, and costs what the second best does less. 0 where nothing so simple can be said.
 */
export function leastExplorationCost(values: readonly UncertainValue[], { method }: Exploration): number {
  if (method !== 'thompson') return 0;
  const [first = 0, second = 0] = [values[0]?.mean, values[1]?.mean];
  const lossMinor = first > 0 ? first - Math.max(0, second) : -first;
  // Those that are kept are at least as probable, but for what rounding takes.
  return 0.999 * leastProbability * lossMinor;
}

/** The action that a uniform number from [0, 1) falls on. */
export function drawAction(probabilities: ArrayLike<number>, uniform: number): number {
  let rest = uniform;
  let last = 0;
  for (let action = 0; action < probabilities.length; action++) {
    const probability = probabilities[action] ?? 0;
    if (probability === 0) continue;
    if (rest < probability) return action;
    rest -= probability;
    // Rounding may leave a crumb behind the last that can be drawn.
    last = action;
  }
  return last;
}

/** The best is always among them. */
function contendersOf(values: readonly UncertainValue[]): number[] {
  const hopeOf = (action: number) => {
    const { mean, deviation } = values[action] ?? nothing;
    return mean + hopeDeviations * deviation;
  };
  const contenders: number[] = [];
  for (let action = 0; action < values.length; action++) if (hopeOf(action) > 0) contenders.push(action);
  if (contenders.length <= contendersMax) return contenders;
  const [best = 0, ...others] = contenders;
  others.sort((a, b) => hopeOf(b) - hopeOf(a) || a - b);
  return [best, ...others.slice(0, contendersMax - 1)];
}

const nothing: UncertainValue = { mean: 0, deviation: 0 };
