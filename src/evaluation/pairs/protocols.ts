/** The two protocols on pairs of users and items. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { UsageError } from '../../domain/errors.ts';
import { type ParamsByModel, paramsOf } from '../params-file.ts';
import type { Protocol } from '../protocol.ts';
import { holdOutFull, holdOutSampled } from './hold-out.ts';
import { judgeFull } from './judge-full.ts';
import { judgeSampled } from './judge-sampled.ts';
import { type BlendSource, blendOf } from './models/blend.ts';
import { ials } from './models/ials.ts';
import { PAIR_MODELS } from './models.ts';
import { readFullRanking, readSampled, readTraining } from './pair-files.ts';
import type { PairData, PairModel, PairScorer } from './pair-model.ts';

/** He et al., "Neural collaborative filtering", WWW 2017. */
export const sampledNegatives: Protocol<PairData, PairScorer> = {
  metrics: ['hrAt10', 'ndcgAt10'],
  models: PAIR_MODELS,
  combinations: (models, params) => [blendOf('sampled-negatives', sourcesOf(models, params))],
  readTask: async ({ train, test, negatives }, seed) => {
    const { data, cases } = await readSampled(train, test, negatives, seed);
    return {
      data,
      summary: `${sizeOf(data.userItems)}; ${counted(cases.user.length, 'test pair')}`,
      judge: async (scorer) => judgeSampled(scorer, cases),
    };
  },
  readValidation: async (trainPath, seed) => {
    const whole = await readTraining(trainPath);
    const { train, cases } = naming(trainPath, () => holdOutSampled(whole, seed));
    return {
      data: train,
      summary: `${sizeOf(train.userItems)}; ${counted(cases.user.length, 'pair')} held out`,
      judge: async (scorer) => judgeSampled(scorer, cases),
    };
  },
};

/** He et al., "LightGCN", SIGIR 2020. */
export const fullRanking: Protocol<PairData, PairScorer> = {
  metrics: ['recallAt20', 'ndcgAt20'],
  models: PAIR_MODELS,
  combinations: (models, params) => [blendOf('full-ranking', sourcesOf(models, params))],
  readTask: async ({ train, test }) => {
    const files = await readFullRanking(train, test);
    return {
      data: files.data,
      summary: `${sizeOf(files.data.userItems)}; ${counted(files.test.indices.length, 'test pair')}`,
      judge: (scorer) => judgeFull(scorer, files.test),
    };
  },
  readValidation: async (trainPath, seed) => {
    const whole = await readTraining(trainPath);
    const { train, test } = naming(trainPath, () => holdOutFull(whole, seed));
    return {
      data: train,
      summary: `${sizeOf(train.userItems)}; ${counted(test.indices.length, 'pair')} held out`,
      judge: (scorer) => judgeFull(scorer, test),
    };
  },
};

/** A second iALS of fewer factors, from another start: where two runs differ, they err apart, and their sum errs less. */
const secondFactorsShare = 2 / 3;

function sourcesOf(models: readonly PairModel[], params: ParamsByModel): BlendSource[] {
  const single = models.map((model) => ({ model, params: paramsOf(model, params) }));
  const known = paramsOf(ials, params);
  const factors = Math.max(1, Math.round(secondFactorsShare * Number(known.factors)));
  return [...single, { model: ials, params: { ...known, factors } }];
}

function sizeOf({ rows, cols, indices }: CsrMatrix): string {
  return `${counted(rows, 'user')}, ${counted(cols, 'item')}, ${counted(indices.length, 'training pair')}`;
}

/** `1 user`, `6,040 users` */
function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Puts the file's name before what is wrong with what is in it. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(`${path}: ${cause.message}.`, { cause });
    throw cause;
  }
}
