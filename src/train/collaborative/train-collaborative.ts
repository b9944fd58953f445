/**
 * Trains the collaborative model from the lake: choose and learn to rank on the weeks before the test, test on the last
 * weeks, learn from everything, publish if the gate lets it. What is tested follows in time what was learned from.
 */
import { collaborativeToFiles } from '../../algorithms/collaborative-model.ts';
import type { KnownFactors } from '../../algorithms/ials.ts';
import { type TemporalSplit, temporalSplit } from '../../algorithms/temporal-split.ts';
import type { JobResult } from '../../domain/job.ts';
import type { ModelManifest } from '../../domain/manifest.ts';
import { purchaseSpan } from '../../history/purchases.ts';
import { kernelBackend } from '../open-kernels.ts';
import { type KernelTraining, notTrained, publishTrained, seenBefore } from '../training.ts';
import { judgeChampion, type Recipe, writeRecipe } from './champion.ts';
import { evaluateCollaborative } from './evaluate.ts';
import { fitContent } from './fit-content.ts';
import { easeNote } from './fit-ease-rows.ts';
import { fitCollaborative } from './fit-model.ts';
import { judgeCandidate, metricsOf } from './judge-candidate.ts';
import { type LearnedRanking, learnRanking } from './learn-ranking.ts';
import { isBeforeErasure, loadServedModel, warmStartFrom } from './served-model.ts';
import { loadShopLog, loadTestSet, type ShopLog, shortageOf } from './shop-log.ts';
import { readTunedSettings } from './tuned-settings.ts';

/** Of a larger shop, that many are drawn: enough for the third digit. */
export const testCustomersMax = 10_000;

/** Shares of the work, for the progress bar. */
const shares = { read: 0.02, learned: 0.6, fitted: 0.68, tested: 0.75, compared: 0.85, refitted: 0.98 };

export async function trainCollaborative(training: KernelTraining): Promise<JobResult> {
  const { lake, kernels, seed, report } = training;
  const before = seenBefore(training);
  await report(0, 'reading purchases');
  const span = await purchaseSpan(lake, { before });
  if (span === undefined)
    return notTrained('collaborative', 'there are no purchases by known customers to learn from');
  const split = temporalSplit(span.first, span.last);

  const test = await loadTestSet(lake, split.testFrom, before, testCustomersMax, seed);
  const shortage = shortageOf(test);
  if (shortage !== undefined) return notTrained('collaborative', shortage);

  const stage = (from: number, to: number, name: string) => (share: number) =>
    report(from + (to - from) * share, name);
  const period = {
    first: span.first,
    until: split.testFrom,
    windowMs: split.testFrom - split.validationFrom,
    customers: span.customers,
  };
  const tuned =
    training.dataDir === undefined ? undefined : await readTunedSettings(training.dataDir, split.testFrom);
  const learned = await learnRanking(training, period, tuned, (share, name) =>
    report(shares.read + (shares.learned - shares.read) * share, name),
  );
  const { settings, ranker } = learned;
  const withRanker = async (
    log: ShopLog,
    now: number,
    onProgress: (share: number) => void | Promise<void>,
    start?: KnownFactors,
  ) => {
    const model = await fitCollaborative(kernels, log, settings, now, seed, onProgress, start);
    return ranker === undefined ? model : { ...model, ranker };
  };
  const candidate = await withRanker(
    test.train,
    test.now,
    stage(shares.learned, shares.fitted, 'learning without the last weeks'),
  );
  const evaluation = await evaluateCollaborative(
    candidate,
    test,
    stage(shares.fitted, shares.tested, 'testing on the last weeks'),
  );
  const recipe: Recipe = { settings, ranking: ranker?.kind ?? 'fusion' };
  const champion = await judgeChampion(
    training,
    test,
    recipe,
    stage(shares.tested, shares.compared, 'comparing with what is served'),
  );

  const everything = await loadShopLog(lake, { before, withBrowsing: true });
  // Only here: what is tested must not have seen the test, nor what ends at a cut-off what comes after it.
  const served = training.cutoff === undefined ? await loadServedModel(training) : undefined;
  const start =
    served === undefined || (await isBeforeErasure(served.manifest, training.dataDir))
      ? undefined
      : warmStartFrom(served.model, everything.itemIds, settings.ials.factors);
  // From the last purchase, not from the clock: an old log does not pale.
  const model = await withRanker(
    everything,
    span.last + 1,
    stage(shares.compared, shares.refitted, 'learning from everything'),
    start,
  );
  const content = await fitContent(lake, model, everything, seed);
  await report(shares.refitted, 'publishing');
  return publishTrained(
    training,
    {
      name: 'collaborative',
      featureSchema: null,
      dataRange: { from: new Date(span.first).toISOString(), to: new Date(span.last).toISOString() },
      parameters: {
        ...parametersOf(learned, recipe, split, everything, seed),
        ease: easeNote(model.sources?.ease, everything.itemIds.length, settings.ease),
        ...(start !== undefined && served !== undefined && { warmStartFrom: served.manifest.version }),
      },
      metrics: metricsOf(evaluation, seed),
      backend: [kernelBackend(kernels), learned.backend].filter((name) => name !== undefined).join(', '),
      gate: judgeCandidate(evaluation, champion, seed),
    },
    collaborativeToFiles(content === undefined ? model : { ...model, content }),
  );
}

function parametersOf(
  { settings, settingsFrom, choice, ranker, windows }: LearnedRanking,
  recipe: Recipe,
  split: TemporalSplit,
  { at, customerIds, itemIds }: ShopLog,
  seed: number,
): ModelManifest['parameters'] {
  const { ials, knn, boughtTogether, popularity, weighting, buyAgainHorizonDays, fusion } = settings;
  return {
    ...ials,
    neighbours: knn.k,
    neighbourShrinkage: knn.shrinkage,
    boughtTogetherBy: boughtTogether.similarity,
    popularityHalfLifeDays: popularity.halfLifeDays,
    weightHalfLifeDays: weighting.halfLifeDays,
    weightFloor: weighting.floor,
    buyAgainHorizonDays,
    habitHalfLifeDays: settings.habitHalfLifeDays,
    exemplars: settings.customers.exemplars,
    exemplarNeighbours: settings.customers.neighbours,
    fusionIals: fusion.weights.ials,
    fusionNeighbours: fusion.weights.neighbours,
    fusionBuyAgain: fusion.weights.buyAgain,
    fusionPopularity: fusion.weights.popularity,
    fusionRankConstant: fusion.rankConstant,
    settingsFrom,
    ranking: recipe.ranking,
    rankingChoice: choice,
    rankerFeatures: ranker?.featureNames.join(' ') ?? '',
    rankerWindows: windows,
    recipe: writeRecipe(recipe),
    testFrom: new Date(split.testFrom).toISOString(),
    validationFrom: new Date(split.validationFrom).toISOString(),
    purchases: at.length,
    customers: customerIds.length,
    items: itemIds.length,
    seed,
  };
}
