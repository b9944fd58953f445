/**
 * Learns the ranker. Customers that took no part in the learning choose between the linear ranker and the network, and
 * whether the better one is better than the fusion by rank, which needs no learning.
 */
import { fitLinearRanker } from '../../algorithms/ranker/fit-linear.ts';
import type { Ranker } from '../../algorithms/ranker/ranker.ts';
import { joinSamples, type RankerSamples, thinSamples } from '../../algorithms/ranker/samples.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { Logger } from '../../infra/logger.ts';
import { loadTensorFlow } from '../tensorflow.ts';
import type { Judged } from './quality.ts';
import { fitRankerNetwork, rankerNetworkDefaults } from './ranker-network.ts';
import { judgeRanker, negativesMax, type RankerWindow } from './ranker-samples.ts';

export type FittedRanker = {
  /** undefined: rank fusion is as good, or there are too few customers to tell. */
  ranker: Ranker | undefined;
  /** What was chosen and why, in words. */
  choice: string;
  /** Engine of the network's training. */
  backend: string | undefined;
};

/** Fewer that learn, or that choose, say nothing. */
const learningMin = 60;
const choosingMin = 20;
/** L2 weight of the linear ranker, on features of spread 1. */
const linearRegularization = 1e-3;

/** The same seed and windows give the same ranker. */
export async function fitRanker(
  windows: readonly RankerWindow[],
  seed: number,
  log: Logger,
  onProgress: (share: number) => void | Promise<void> = () => {},
): Promise<FittedRanker> {
  const learning = joinSamples(windows.map((window) => window.learning));
  const choosing = joinSamples(windows.map((window) => window.choosing));
  const learners = learning.relevant.length;
  const choosers = choosing.relevant.length;
  if (learners < learningMin || choosers < choosingMin)
    return {
      ranker: undefined,
      choice: `rank fusion, for there are ${learners} customers to learn a ranker from and ${choosers} to choose it by, of at least ${learningMin} and ${choosingMin}`,
      backend: undefined,
    };
  const { tf, backend } = await loadTensorFlow(log);
  const network = async (samples: RankerSamples, from: number, to: number) => {
    const { epochsMax } = rankerNetworkDefaults;
    const fitted = await fitRankerNetwork(tf, samples, rankerNetworkDefaults, seed, (epoch) =>
      onProgress(from + (to - from) * (epoch / epochsMax)),
    );
    return fitted.ranker;
  };
  const linear = (samples: RankerSamples) => fitLinearRanker(samples, linearRegularization);

  const candidates = { linear: linear(learning), network: await network(learning, 0.2, 0.6) };
  const quality = {
    linear: judgeRanker(candidates.linear, choosing).overall(),
    network: judgeRanker(candidates.network, choosing).overall(),
    fused: overallOf(windows.map(({ fused }) => fused)),
  };
  const best = quality.network > quality.linear ? 'network' : 'linear';
  const isBetter = quality[best] > quality.fused;
  const figures = `linear ${quality.linear.toFixed(4)}, network ${quality.network.toFixed(4)}, rank fusion ${quality.fused.toFixed(4)}`;
  const choice = `${isBetter ? `the ${best} ranker` : 'rank fusion'} by the mean of recall@10 and NDCG@10 of ${choosers} customers: ${figures}`;
  if (!isBetter) return { ranker: undefined, choice, backend };
  // What was chosen learns from everybody, as it will serve everybody.
  const everybody = joinSamples([
    learning,
    thinSamples(choosing, negativesMax, createRng(seed, 'ranker', 'negatives', 'everybody')),
  ]);
  const ranker = best === 'linear' ? linear(everybody) : await network(everybody, 0.6, 1);
  return { ranker, choice, backend };
}

function overallOf(judged: readonly Judged[]): number {
  let sum = 0;
  let customers = 0;
  for (const part of judged) {
    sum += part.overall() * part.customers;
    customers += part.customers;
  }
  return sum / customers;
}
