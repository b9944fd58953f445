/**
 * All sources in one list: the weighted sum of their scores, each brought to mean 0 and deviation 1 over a user's candidates.
 * The weights are learned on a validation part of the training data; then every source is fitted again to all of it.
 */
import type { CsrMatrix } from '../../../algorithms/csr.ts';
import { topK } from '../../../algorithms/top-k.ts';
import { defineModel, type FitContext, NoParams } from '../../model.ts';
import type { Params } from '../../search/space.ts';
import { fewestToHoldOut, holdOutFull, holdOutSampled, usersWith } from '../hold-out.ts';
import { judgedLength, usersWithItems } from '../judge-full.ts';
import { type CandidateGroups, learnWeights } from '../learn-weights.ts';
import type { PairData, PairModel, PairScorer } from '../pair-model.ts';
import type { SampledCases } from '../sampled-cases.ts';
import { emptyRanks, itemsOf } from '../scorers.ts';

export type BlendSource = { model: PairModel; params: Params };

/** Length of each source's list of the whole catalogue, of which the candidates are all. */
const listDepth = 150;
const sampledLength = 10;
const usersAtATime = 2048;

export function blendOf(
  protocol: 'sampled-negatives' | 'full-ranking',
  sources: readonly BlendSource[],
): PairModel {
  return defineModel({
    name: 'blend',
    params: NoParams,
    refusal: ({ userItems }) => {
      const fewest = fewestToHoldOut[protocol];
      return usersWith(userItems, fewest).length === 0
        ? `Its weights are learned on held-out pairs, and no user has ${fewest} items; use one of its sources.`
        : undefined;
    },
    fit: async (data, _params, context) => {
      const fitting = sources.filter(({ model }) => model.refusal(data) === undefined);
      const seed = context.rng.nextInt(2 ** 32);
      const weights =
        protocol === 'full-ranking'
          ? await weightsOfLists(data, fitting, seed, context)
          : await weightsOfCases(data, fitting, seed, context);
      const counted = fitting.filter((_, s) => weights[s] !== 0);
      const scorers = await fitAll(counted, data, { ...context, onProgress: partOf(context, 0.5, 1) });
      return blendScorer(
        scorers,
        weights.filter((weight) => weight !== 0),
        data.userItems,
      );
    },
  });
}

async function weightsOfCases(
  data: PairData,
  sources: readonly BlendSource[],
  seed: number,
  context: FitContext,
): Promise<number[]> {
  const { train, cases } = holdOutSampled(data, seed);
  const scorers = await fitAll(sources, train, { ...context, onProgress: partOf(context, 0, 0.5) });
  const groups = groupsOfCases(scorers, cases);
  releaseAll(scorers);
  return learnWeights(groups, sampledLength).weights;
}

async function weightsOfLists(
  data: PairData,
  sources: readonly BlendSource[],
  seed: number,
  context: FitContext,
): Promise<number[]> {
  const { train, test } = holdOutFull(data, seed);
  const scorers = await fitAll(sources, train, { ...context, onProgress: partOf(context, 0, 0.5) });
  const groups = await groupsOfLists(scorers, test);
  releaseAll(scorers);
  return learnWeights(groups, judgedLength).weights;
}

async function fitAll(
  sources: readonly BlendSource[],
  data: PairData,
  context: FitContext,
): Promise<PairScorer[]> {
  const scorers: PairScorer[] = [];
  try {
    for (const [n, { model, params }] of sources.entries()) {
      const onProgress = partOf(context, n / sources.length, (n + 1) / sources.length);
      scorers.push(await model.fit(data, params, { ...context, onProgress }));
    }
    return scorers;
  } catch (err) {
    releaseAll(scorers);
    throw err;
  }
}

function groupsOfCases(scorers: readonly PairScorer[], cases: SampledCases): CandidateGroups {
  const count = cases.user.length;
  const start = new Int32Array(count + 1);
  for (let n = 0; n < count; n++) start[n + 1] = start[n]! + 1 + cases.start[n + 1]! - cases.start[n]!;
  const relevant = new Uint8Array(start[count]!);
  const scores = scorers.map(() => new Float32Array(start[count]!));
  for (let n = 0; n < count; n++) {
    const items = new Int32Array(start[n + 1]! - start[n]!);
    // The held-out item last, so that it wins no tie.
    items.set(cases.negatives.subarray(cases.start[n]!, cases.start[n + 1]!));
    items[items.length - 1] = cases.item[n]!;
    relevant[start[n + 1]! - 1] = 1;
    scorers.forEach((scorer, s) => {
      standardScores(scorer, cases.user[n]!, items, scores[s]!.subarray(start[n]!, start[n + 1]!));
    });
  }
  return { start, scores, relevant, relevantCount: new Int32Array(count).fill(1) };
}

async function groupsOfLists(scorers: readonly PairScorer[], test: CsrMatrix): Promise<CandidateGroups> {
  const users = usersWithItems(test);
  const candidates = await candidatesOf(scorers, users);
  const start = new Int32Array(users.length + 1);
  for (let n = 0; n < users.length; n++) start[n + 1] = start[n]! + candidates[n]!.length;
  const relevant = new Uint8Array(start[users.length]!);
  const relevantCount = new Int32Array(users.length);
  const scores = scorers.map(() => new Float32Array(start[users.length]!));
  for (let n = 0; n < users.length; n++) {
    const wanted = new Set(itemsOf(test, users[n]!));
    relevantCount[n] = wanted.size;
    candidates[n]!.forEach((item, c) => {
      if (wanted.has(item)) relevant[start[n]! + c] = 1;
    });
    scorers.forEach((scorer, s) => {
      standardScores(scorer, users[n]!, candidates[n]!, scores[s]!.subarray(start[n]!, start[n + 1]!));
    });
  }
  return { start, scores, relevant, relevantCount };
}

/** For each user, what is on any source's list, ascending. */
async function candidatesOf(scorers: readonly PairScorer[], users: Int32Array): Promise<Int32Array[]> {
  const found: Set<number>[] = Array.from(users, () => new Set());
  for (const scorer of scorers) {
    const { k, indices } = await scorer.rank(users, listDepth);
    found.forEach((items, n) => {
      for (const item of indices.subarray(n * k, (n + 1) * k)) if (item >= 0) items.add(item);
    });
  }
  return found.map((items) => Int32Array.from(items).sort());
}

function blendScorer(
  scorers: readonly PairScorer[],
  weights: readonly number[],
  userItems: CsrMatrix,
): PairScorer {
  const score = (user: number, items: Int32Array, out: Float32Array) => {
    const own = new Float32Array(items.length);
    out.fill(0);
    scorers.forEach((scorer, s) => {
      standardScores(scorer, user, items, own);
      for (let n = 0; n < own.length; n++) out[n]! += weights[s]! * own[n]!;
    });
  };
  return {
    score,
    rank: async (users, k) => {
      const ranked = emptyRanks(users.length, Math.min(k, userItems.cols));
      for (let from = 0; from < users.length; from += usersAtATime) {
        const batch = users.subarray(from, from + usersAtATime);
        (await candidatesOf(scorers, batch)).forEach((items, n) => {
          const scores = new Float32Array(items.length);
          score(batch[n]!, items, scores);
          const best = topK(scores, k);
          const at = (from + n) * ranked.k;
          best.indices.forEach((place, rank) => {
            ranked.indices[at + rank] = items[place]!;
          });
          ranked.scores.set(best.scores, at);
        });
      }
      return ranked;
    },
    release: () => releaseAll(scorers),
  };
}

/** A source's scores less their mean, over their deviation; zeros where they are all alike. */
function standardScores(scorer: PairScorer, user: number, items: Int32Array, out: Float32Array): void {
  scorer.score(user, items, out);
  let sum = 0;
  let squares = 0;
  for (let n = 0; n < out.length; n++) sum += out[n]!;
  const mean = sum / out.length;
  for (let n = 0; n < out.length; n++) squares += (out[n]! - mean) ** 2;
  const deviation = Math.sqrt(squares / out.length);
  for (let n = 0; n < out.length; n++) out[n] = deviation > 0 ? (out[n]! - mean) / deviation : 0;
}

function releaseAll(scorers: readonly PairScorer[]): void {
  for (const scorer of scorers) scorer.release();
}

/** Progress of a part of the work. */
function partOf({ onProgress }: FitContext, from: number, to: number): FitContext['onProgress'] {
  return (share) => onProgress(from + (to - from) * share);
}
