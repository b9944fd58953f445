/**
 * Random search that narrows (cf. Bergstra and Bengio 2012 for why random beats a grid): first the starting point, then
 * points anywhere in the space, then steps away from the best points known, ever smaller. What is tried next depends on
 * nothing but the trials so far, so that a search can be stopped and taken up again anywhere.
 */
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { anywhere, nearby, type Params, type SearchSpace } from './space.ts';

export type Trial = {
  params: Params;
  /** The higher the better; null where the trial failed. */
  quality: number | null;
  seconds: number;
  /** Why it failed. */
  fault?: string;
};

/** Trials anywhere, for each dimension of the space. */
const wideTrialsPerDimension = 1.5;
/** One later trial in so many goes anywhere, lest the search stay at a hill that is not the highest. */
const widePeriod = 6;
const leaders = 3;
const firstSpread = 0.2;
const lastSpread = 0.03;
const attempts = 20;

/** The next hyper-parameters to try; undefined where there is nothing new to try. */
export function propose(
  space: SearchSpace,
  start: Params,
  trials: readonly Trial[],
  seed: number,
): Params | undefined {
  const names = Object.keys(space);
  if (trials.length === 0) return start;
  if (names.length === 0) return undefined;
  const tried = new Set(trials.map(({ params }) => key(params)));
  const rng = createRng(seed, 'search', trials.length);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const params = candidate(space, start, trials, rng);
    if (!tried.has(key(params))) return params;
  }
  return undefined;
}

/** The trial of the highest quality, the earliest of equals. */
export function bestTrial(trials: readonly Trial[]): Trial | undefined {
  return ranked(trials)[0];
}

function candidate(space: SearchSpace, start: Params, trials: readonly Trial[], rng: Rng): Params {
  const names = Object.keys(space);
  const wideTrials = Math.ceil(wideTrialsPerDimension * names.length);
  const best = ranked(trials).slice(0, leaders);
  const leader = best[Math.min(rng.nextInt(leaders), rng.nextInt(leaders), best.length - 1)];
  const params = { ...start, ...leader?.params };
  if (leader === undefined || trials.length <= wideTrials || trials.length % widePeriod === 0) {
    for (const [name, dimension] of Object.entries(space)) params[name] = anywhere(dimension, rng);
    return params;
  }
  const narrowing = Math.min(1, (trials.length - wideTrials) / (6 * names.length));
  const spread = firstSpread * (lastSpread / firstSpread) ** narrowing;
  const certain = names[rng.nextInt(names.length)];
  for (const [name, dimension] of Object.entries(space)) {
    const value = params[name];
    const moves = name === certain || rng.chance(1 / names.length);
    if (moves)
      params[name] = value === undefined ? anywhere(dimension, rng) : nearby(dimension, value, spread, rng);
  }
  return params;
}

function ranked(trials: readonly Trial[]): Trial[] {
  return trials.filter(({ quality }) => quality !== null).sort((a, b) => (b.quality ?? 0) - (a.quality ?? 0));
}

function key(params: Params): string {
  return JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
}
