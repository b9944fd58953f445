/**
 * A collaborative model around item factors that another engine has learned (Spark's ALS, for a shop that has outgrown one
 * machine). Everything else of it (popularity, neighbours, rhythms) is fitted to this lake, as far back as is wanted.
 * Customers are folded in as ever.
 */
import { collaborativeToFiles } from '../../algorithms/collaborative-model.ts';
import { gramOf } from '../../algorithms/dense.ts';
import { purchasePairs } from '../../algorithms/purchase-pairs.ts';
import { UsageError } from '../../domain/errors.ts';
import type { JobResult } from '../../domain/job.ts';
import { kernelBackend } from '../open-kernels.ts';
import { type KernelTraining, publishTrained, seenBefore } from '../training.ts';
import { evaluateCollaborative } from './evaluate.ts';
import { fitAround } from './fit-model.ts';
import { judgeCandidate, metricsOf } from './judge-candidate.ts';
import type { GivenFactors } from './read-factors.ts';
import { type CollaborativeSettings, defaultSettings } from './settings.ts';
import { loadShopLog, loadTestSet, type ShopLog, shortageOf } from './shop-log.ts';
import { testCustomersMax } from './train-collaborative.ts';

export type FactorImport = {
  factors: GivenFactors;
  /** As Spark's implicit ALS has them: confidence 1 + alpha · r, and λ times the number of a customer's interactions. */
  alpha: number;
  regularization: number;
  /** The rest is fitted to purchases from then on (milliseconds since 1970); absent: to all. */
  since?: number;
  /** The factors were learned from purchases before: judged on those after it. Absent: not judged, and so not served by itself. */
  learnedBefore?: number;
};

/** Of the items that were bought, at least this share must have factors: else the ids are others than the shop's. */
const leastKnownShare = 0.5;

/** Throws a UsageError where factors and purchases do not fit together. */
export async function importFactors(training: KernelTraining, given: FactorImport): Promise<JobResult> {
  const { lake, kernels, seed, report } = training;
  const before = seenBefore(training);
  const range = { before, ...(given.since !== undefined && { from: given.since }) };
  await report(0, 'reading purchases');
  const everything = await loadShopLog(lake, range);
  if (everything.at.length === 0)
    throw new UsageError(
      'There are no purchases by known customers to fit the rest of the model to: import them first.',
    );
  const knownShare =
    everything.itemIds.filter((id) => given.factors.byItem.has(id)).length / everything.itemIds.length;
  if (knownShare < leastKnownShare)
    throw new UsageError(
      `Only ${Math.round(100 * knownShare)} % of the ${everything.itemIds.length} items that were bought have factors in the file. ` +
        'Write the shop’s own item ids into it, not the numbers that the other engine gave them.',
    );

  let judgement: ReturnType<typeof judgeCandidate> | undefined;
  let metrics: ReturnType<typeof metricsOf> = {};
  if (given.learnedBefore !== undefined) {
    const test = await loadTestSet(lake, given.learnedBefore, before, testCustomersMax, seed);
    const shortage = shortageOf(test);
    if (shortage !== undefined) throw new UsageError(`The factors cannot be judged: ${shortage}.`);
    await report(0.2, 'judging on the purchases after it');
    const evaluation = await evaluateCollaborative(await modelOf(test.train, test.now), test);
    judgement = judgeCandidate(
      evaluation,
      {
        skipped: 'not compared with the version that is served, which may have learned from these purchases',
      },
      seed,
    );
    metrics = metricsOf(evaluation, seed);
  }
  const last = everything.at.reduce((latest, at) => Math.max(latest, at), 0);
  const first = everything.at.reduce((earliest, at) => Math.min(earliest, at), last);
  await report(0.6, 'fitting the rest');
  const model = await modelOf(everything, last + 1);
  return publishTrained(
    training,
    {
      name: 'collaborative',
      featureSchema: null,
      dataRange: { from: new Date(first).toISOString(), to: new Date(last).toISOString() },
      parameters: {
        importedFactors: given.factors.byItem.size,
        givenFactors: given.factors.size,
        alpha: given.alpha,
        givenRegularization: given.regularization,
        unobservedWeight: model.unobservedWeight,
        regularization: model.regularization,
        regularizationExponent: model.regularizationExponent,
        purchases: everything.at.length,
        items: everything.itemIds.length,
        knownShare,
        seed,
      },
      metrics,
      backend: kernelBackend(kernels),
      gate: judgement ?? {
        passed: false,
        reason: 'Imported, and not judged: it was not said which purchases it was learned before.',
      },
    },
    collaborativeToFiles(model),
  );

  async function modelOf(purchases: ShopLog, now: number) {
    const pairs = purchasePairs(purchases, purchases.customerIds.length, purchases.itemIds.length);
    const settings = settingsOf(given, purchases.at.length / Math.max(1, purchases.customerIds.length));
    const itemFactors = paddedFactors(given.factors, purchases.itemIds, settings.ials.factors);
    const itemGram = gramOf(itemFactors, settings.ials.factors);
    return fitAround(kernels, { itemFactors, itemGram }, purchases, pairs, settings, now);
  }
}

/**
 * Spark minimises Σ c·(p − x·y)² + λ·n·|x|², c = 1 + α·r, over all items; divided by α, that is our objective with unobserved
 * weight 1 / α, and λ·n / α as the regularisation of a customer with n interactions: here, of the usual one.
 */
function settingsOf(
  { factors, alpha, regularization }: FactorImport,
  usualInteractions: number,
): CollaborativeSettings {
  return {
    ...defaultSettings,
    ials: {
      ...defaultSettings.ials,
      // Kernels take factors four at a time; the rest are zero.
      factors: Math.ceil(factors.size / 4) * 4,
      unobservedWeight: 1 / alpha,
      regularization: (regularization * usualInteractions) / alpha,
      regularizationExponent: 0,
    },
  };
}

/** items × size; zero for an item without factors, which is then recommended by the other sources alone. */
function paddedFactors({ byItem }: GivenFactors, itemIds: readonly string[], size: number): Float32Array {
  const factors = new Float32Array(itemIds.length * size);
  for (const [i, itemId] of itemIds.entries()) {
    const vector = byItem.get(itemId);
    if (vector !== undefined) factors.set(vector, i * size);
  }
  return factors;
}
