/** The learned next basket: what the sources say of each candidate, weighed by trees that were taught by each user's last basket. */
import {
  type BoostedTrees,
  type BoostedTreesOptions,
  fitBoostedTrees,
  type OnShare,
  scoreBoosted,
} from '../boosted-trees/boosted-trees.ts';
import { type Rng, shuffle } from '../rng.ts';
import { type BasketLog, basketCount, basketOfAge, withoutLastBaskets } from './basket-log.ts';
import {
  CANDIDATE_FEATURES,
  type CandidateOptions,
  createCandidates,
  type FindCandidates,
} from './candidates.ts';

export type RepeatBlendOptions = CandidateOptions & {
  trees: BoostedTreesOptions;
  /** Users whose last basket teaches, at most, drawn at random. */
  teachers: number;
  /** Share of the candidates that were not bought which the trees see; what was bought they see all. */
  missShare: number;
};

export type RepeatBlend = { find: FindCandidates; trees: BoostedTrees };

/** Share of the teachers who only say when the trees are enough. */
const judgeShare = 0.15;

/**
 * Learns from the baskets of `log` less each user's last one which candidates that last one holds; then stands ready to
 * find the candidates after the whole of it. What `onProgress` throws ends the fit. With nobody who has two baskets the trees are empty.
 */
export async function fitRepeatBlend(
  log: BasketLog,
  options: RepeatBlendOptions,
  rng: Rng,
  onProgress: OnShare = () => {},
): Promise<RepeatBlend> {
  const users = Array.from({ length: log.users }, (_, u) => u).filter((u) => basketCount(log, u) >= 2);
  const teachers = shuffle(users, rng).slice(0, options.teachers);
  const trees = await fitTrees(log, teachers, options, rng, onProgress);
  return { find: createCandidates(log, options), trees };
}

/**
 * Writes each candidate's log-odds of being in the user's next basket to `out`, and for all other items numbers below
 * those of every candidate, by their share of all baskets. The log-odds are those among the candidates that the trees saw: they
 * rank, and are not calibrated.
 */
export function scoreRepeatBlend(
  { find, trees }: RepeatBlend,
  share: Float32Array,
  user: number,
  out: Float32Array,
): void {
  for (let i = 0; i < out.length; i++) out[i] = share[i]! - belowAll;
  const { item, values, size } = find(user);
  for (let c = 0; c < size; c++) {
    const at = c * CANDIDATE_FEATURES.length;
    // A little of the plain sources, by which equals (all, where there are no trees) are told apart.
    const plain = values[at]! + values[at + neighbourMeanAt]! + values[at + shareAt]! / 100;
    out[item[c]!] = scoreBoosted(trees, values, at) + plain / 1000;
  }
}

const belowAll = 1000;
const neighbourMeanAt = CANDIDATE_FEATURES.indexOf('neighbourMean');
const shareAt = CANDIDATE_FEATURES.indexOf('share');

async function fitTrees(
  log: BasketLog,
  teachers: readonly number[],
  options: RepeatBlendOptions,
  rng: Rng,
  onProgress: OnShare,
): Promise<BoostedTrees> {
  const columns = CANDIDATE_FEATURES.length;
  const find = createCandidates(withoutLastBaskets(log, 1), options);
  const label: number[] = [];
  const heldOut: number[] = [];
  let values = new Float32Array(1 << 16);
  const judges = Math.floor(judgeShare * teachers.length);
  for (let n = 0; n < teachers.length; n++) {
    const user = teachers[n]!;
    const target = new Set(basketOfAge(log, user, 0));
    const candidates = find(user);
    for (let c = 0; c < candidates.size; c++) {
      const isHit = target.has(candidates.item[c]!);
      if (!isHit && !rng.chance(options.missShare)) continue;
      const at = label.length * columns;
      if (at + columns > values.length) {
        const grown = new Float32Array(2 * values.length);
        grown.set(values);
        values = grown;
      }
      values.set(candidates.values.subarray(c * columns, (c + 1) * columns), at);
      label.push(isHit ? 1 : 0);
      heldOut.push(n < judges ? 1 : 0);
    }
    if (n % 100 === 0) await onProgress((0.5 * n) / teachers.length);
  }
  const rows = label.length;
  if (!heldOut.includes(0)) return noTrees(columns);
  return fitBoostedTrees(
    { rows, columns, values: values.subarray(0, rows * columns) },
    Uint8Array.from(label),
    Uint8Array.from(heldOut),
    options.trees,
    (share) => onProgress(0.5 + 0.5 * share),
  );
}

function noTrees(columns: number): BoostedTrees {
  const none = () => new Int32Array(0);
  return {
    columns,
    bias: 0,
    roots: none(),
    feature: none(),
    threshold: new Float32Array(0),
    left: none(),
    right: none(),
    value: new Float32Array(0),
  };
}
