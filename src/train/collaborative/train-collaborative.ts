/**
 * Trains the collaborative model from the lake: choose on validation data, test on the last weeks, learn from everything,
 * publish if collaborative filtering beat popularity. Test and validation follow in time what was learned from.
 */
import type { CollaborativeSource } from '../../algorithms/collaborative-model.ts';
import { collaborativeToFiles } from '../../algorithms/collaborative-model.ts';
import { createRng } from '../../algorithms/rng.ts';
import { type TemporalSplit, temporalSplit } from '../../algorithms/temporal-split.ts';
import type { JobResult } from '../../domain/job.ts';
import type { ModelManifest } from '../../domain/manifest.ts';
import type { Lake } from '../../history/lake.ts';
import { loadPurchases, type PurchaseRange, type Purchases, purchaseSpan } from '../../history/purchases.ts';
import { type GateVerdict, judge } from '../gate.ts';
import { kernelBackend } from '../open-kernels.ts';
import { type KernelTraining, notTrained, publishTrained, seenBefore } from '../training.ts';
import { chooseSettings, defaultSettings } from './choose-settings.ts';
import { type Evaluation, evaluateCollaborative, type ProtocolQuality } from './evaluate.ts';
import { fitContent } from './fit-content.ts';
import { type CollaborativeSettings, fitCollaborative } from './fit-model.ts';
import { createTestSet, type TestSet } from './test-set.ts';

/** Below that, figures are noise. */
const testCustomersMin = 20;
/** Of a larger shop, that many are drawn: enough for the third digit. */
const testCustomersMax = 10_000;
const validationCustomersMax = 2000;
const itemsMin = 10;
const minSegmentCustomers = 20;

/** Shares of the work, for the progress bar. */
const shares = { read: 0.02, chosen: 0.5, fitted: 0.7, tested: 0.75, learned: 0.98 };

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

  await report(shares.read, 'choosing parameters');
  const settings = await choose(training, split);
  const stage = (from: number, to: number, name: string) => (share: number) =>
    report(from + (to - from) * share, name);
  const candidate = await fitCollaborative(
    kernels,
    test.train,
    settings,
    test.now,
    createRng(seed, 'ials'),
    stage(shares.chosen, shares.fitted, 'learning without the last weeks'),
  );
  const evaluation = await evaluateCollaborative(
    candidate,
    test,
    stage(shares.fitted, shares.tested, 'testing on the last weeks'),
  );

  const everything = await load(lake, { before, withBrowsing: true });
  const model = await fitCollaborative(
    kernels,
    everything,
    settings,
    // From the last purchase, not from the clock: an old log does not pale.
    span.last + 1,
    createRng(seed, 'ials'),
    stage(shares.tested, shares.learned, 'learning from everything'),
  );
  const content = await fitContent(lake, model, everything, seed);
  await report(shares.learned, 'publishing');
  return publishTrained(
    training,
    {
      name: 'collaborative',
      featureSchema: null,
      dataRange: { from: new Date(span.first).toISOString(), to: new Date(span.last).toISOString() },
      parameters: parametersOf(settings, split, everything, seed),
      metrics: metricsOf(evaluation),
      backend: kernelBackend(kernels),
      gate: judgeCollaborative(evaluation),
    },
    collaborativeToFiles(content === undefined ? model : { ...model, content }),
  );
}

function load(lake: Lake, range: PurchaseRange): Promise<Purchases> {
  return loadPurchases(lake, { ...range, excludeReturned: true, minSegmentCustomers });
}

async function loadTestSet(
  lake: Lake,
  from: number,
  before: number,
  customersMax: number,
  seed: number,
): Promise<TestSet> {
  const train = await load(lake, { before: from, withBrowsing: true });
  return createTestSet(train, await load(lake, { from, before }), from, customersMax, seed);
}

function shortageOf({ customers, train }: TestSet): string | undefined {
  const items = train.itemIds.length;
  if (items < itemsMin)
    return `too few items to recommend from: ${items} were bought before the test, of at least ${itemsMin}`;
  if (customers.length < testCustomersMin)
    return `too few customers to test on: ${customers.length} bought before and in the last weeks, of at least ${testCustomersMin}`;
  return undefined;
}

/** Settings chosen on the weeks before the test; the defaults where too few customers bought in them. */
async function choose(training: KernelTraining, split: TemporalSplit): Promise<CollaborativeSettings> {
  const { lake, kernels, seed, report } = training;
  const { validationFrom, testFrom } = split;
  const validation = await loadTestSet(lake, validationFrom, testFrom, validationCustomersMax, seed);
  if (shortageOf(validation) !== undefined) return defaultSettings;
  return chooseSettings(kernels, validation, seed, (share) =>
    report(shares.read + (shares.chosen - shares.read) * share, 'choosing parameters'),
  );
}

/** Factors alone must beat popularity, and so must the list that is served: the one does not hide behind the other. */
function judgeCollaborative({ allPurchases }: Evaluation): GateVerdict {
  const { fused, ials, popularity } = allPurchases;
  const against = 'popularity';
  return judge(`collaborative filtering on ${allPurchases.customers} customers`, [
    { metric: 'recall@10', candidate: fused.recallAt10, against, baseline: popularity.recallAt10 },
    { metric: 'NDCG@10', candidate: fused.ndcgAt10, against, baseline: popularity.ndcgAt10 },
    {
      metric: 'recall@10 of iALS alone',
      candidate: ials.recallAt10,
      against,
      baseline: popularity.recallAt10,
    },
    { metric: 'NDCG@10 of iALS alone', candidate: ials.ndcgAt10, against, baseline: popularity.ndcgAt10 },
  ]);
}

/** `recallAt10` and `ndcgAt10` are those of the fused list on all purchases; the others say what they are of. */
function metricsOf({ allPurchases, newItems }: Evaluation): ModelManifest['metrics'] {
  const metrics: Record<string, number> = {
    recallAt10: allPurchases.fused.recallAt10,
    ndcgAt10: allPurchases.fused.ndcgAt10,
    testCustomers: allPurchases.customers,
  };
  const add = (prefix: string, sources: readonly CollaborativeSource[], protocol: ProtocolQuality) => {
    for (const source of sources) {
      const name = prefix === '' ? source : source.charAt(0).toUpperCase() + source.slice(1);
      metrics[`${prefix}${name}RecallAt10`] = protocol[source].recallAt10;
      metrics[`${prefix}${name}NdcgAt10`] = protocol[source].ndcgAt10;
    }
  };
  add('', ['popularity', 'ials', 'neighbours', 'buyAgain'], allPurchases);
  if (newItems.customers > 0) {
    metrics.newItemsRecallAt10 = newItems.fused.recallAt10;
    metrics.newItemsNdcgAt10 = newItems.fused.ndcgAt10;
    metrics.newItemsTestCustomers = newItems.customers;
    add('newItems', ['popularity', 'ials', 'neighbours'], newItems);
  }
  return metrics;
}

function parametersOf(
  { ials, knn, boughtTogether, popularity, weighting, buyAgainHorizonDays, fusion }: CollaborativeSettings,
  split: TemporalSplit,
  { at, customerIds, itemIds }: Purchases,
  seed: number,
): ModelManifest['parameters'] {
  return {
    ...ials,
    neighbours: knn.k,
    neighbourShrinkage: knn.shrinkage,
    boughtTogetherBy: boughtTogether.similarity,
    popularityHalfLifeDays: popularity.halfLifeDays,
    weightHalfLifeDays: weighting.halfLifeDays,
    weightFloor: weighting.floor,
    buyAgainHorizonDays,
    fusionIals: fusion.weights.ials,
    fusionNeighbours: fusion.weights.neighbours,
    fusionBuyAgain: fusion.weights.buyAgain,
    fusionPopularity: fusion.weights.popularity,
    fusionRankConstant: fusion.rankConstant,
    testFrom: new Date(split.testFrom).toISOString(),
    validationFrom: new Date(split.validationFrom).toISOString(),
    purchases: at.length,
    customers: customerIds.length,
    items: itemIds.length,
    seed,
  };
}
