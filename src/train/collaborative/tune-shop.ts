/**
 * Searches the hyper-parameters of the shop's own model. Nothing of the test takes part: of the two windows before it, the
 * older teaches a ranker, and the newer judges the whole (sources and ranker) on every customer who bought in it.
 */
import { fitLinearRanker } from '../../algorithms/ranker/fit-linear.ts';
import { temporalSplit } from '../../algorithms/temporal-split.ts';
import { AppError } from '../../domain/errors.ts';
import type { Trial } from '../../evaluation/search/propose.ts';
import { search } from '../../evaluation/search/search.ts';
import type { SearchSpace } from '../../evaluation/search/space.ts';
import { openTrialStore } from '../../evaluation/search/trial-store.ts';
import { purchaseSpan } from '../../history/purchases.ts';
import { ensureFolder } from '../../infra/files.ts';
import { fitCollaborative } from './fit-model.ts';
import { learningShare, type RankingTools, validationCustomersMax, windowStarts } from './learn-ranking.ts';
import { judgeRanker, rankerWindow } from './ranker-samples.ts';
import { defaultSettings } from './settings.ts';
import { loadTestSet, shortageOf } from './shop-log.ts';
import type { TestSet } from './test-set.ts';
import { settingsOf, tunedModel, tunedPath, tuningDir } from './tuned-settings.ts';

/** What is searched; every other setting keeps its default. */
const shopSpace = {
  'ials.factors': { kind: 'choice', options: [32, 64, 96, 128, 192] },
  'ials.iterations': { kind: 'integer', min: 4, max: 16, log: true },
  'ials.regularization': { kind: 'real', min: 0.0003, max: 0.03, log: true },
  'ials.unobservedWeight': { kind: 'real', min: 0.03, max: 2, log: true },
  'weighting.halfLifeDays': { kind: 'real', min: 15, max: 1000, log: true },
  'popularity.halfLifeDays': { kind: 'real', min: 3, max: 180, log: true },
  buyAgainHorizonDays: { kind: 'real', min: 7, max: 60, log: true },
  habitHalfLifeDays: { kind: 'real', min: 10, max: 400, log: true },
  'customers.halfLifeDays': { kind: 'real', min: 15, max: 400, log: true },
  'customers.neighbours': { kind: 'integer', min: 50, max: 800, log: true },
  'ease.regularization': { kind: 'real', min: 20, max: 2000, log: true },
  'knn.shrinkage': { kind: 'real', min: 1, max: 50, log: true },
} as const satisfies SearchSpace;

/** The defaults, as a point of the space. */
const start = {
  'ials.factors': defaultSettings.ials.factors,
  'ials.iterations': defaultSettings.ials.iterations,
  'ials.regularization': defaultSettings.ials.regularization,
  'ials.unobservedWeight': defaultSettings.ials.unobservedWeight,
  'weighting.halfLifeDays': defaultSettings.weighting.halfLifeDays,
  'popularity.halfLifeDays': defaultSettings.popularity.halfLifeDays,
  buyAgainHorizonDays: defaultSettings.buyAgainHorizonDays,
  habitHalfLifeDays: defaultSettings.habitHalfLifeDays,
  'customers.halfLifeDays': defaultSettings.customers.halfLifeDays,
  'customers.neighbours': defaultSettings.customers.neighbours,
  'ease.regularization': defaultSettings.ease.regularization,
  'knn.shrinkage': defaultSettings.knn.shrinkage,
} satisfies Record<keyof typeof shopSpace, number>;

const linearRegularization = 1e-3;

export type TuneShopOptions = {
  dataDir: string;
  testDays: number;
  /** Nothing from this instant on is seen (milliseconds since 1970). */
  before: number;
  budgetSeconds: number;
  clock: () => number;
  onResumed: (trials: number) => void;
  onTrial: (trial: Trial, best: Trial | undefined) => void;
};

export type TunedShop = { path: string; best: Trial | undefined; trials: number; seconds: number };

/** AppError where the log is too short to learn from one window and judge on another. */
export async function tuneShop(tools: RankingTools, options: TuneShopOptions): Promise<TunedShop> {
  const { lake, seed } = tools;
  const span = await purchaseSpan(lake, { before: options.before });
  if (span === undefined) throw tooLittle('there are no purchases by known customers');
  const { testFrom, validationFrom } = temporalSplit(span.first, span.last, options.testDays);
  const windowMs = testFrom - validationFrom;
  const period = { ...span, until: testFrom, windowMs };
  const share = learningShare(period);
  const [newer, older] = windowStarts(period);
  if (newer === undefined || older === undefined) throw tooLittle('the log is too short');
  const sets = {
    teaching: await loadTestSet(lake, older, older + windowMs, validationCustomersMax, seed, share),
    judging: await loadTestSet(lake, newer, newer + windowMs, validationCustomersMax, seed, share),
  };
  const shortage = shortageOf(sets.teaching) ?? shortageOf(sets.judging);
  if (shortage !== undefined) throw tooLittle(shortage);

  await ensureFolder(tuningDir(options.dataDir), 'DATA_DIR');
  const path = tunedPath(options.dataDir, testFrom);
  const store = await openTrialStore(path, { model: tunedModel, until: testFrom, seed });
  const trials = store.trialsOf(tunedModel);
  if (trials.length > 0) options.onResumed(trials.length);
  const found = await search({
    space: shopSpace,
    start,
    evaluate: (params) => qualityOf(tools, settingsOf(params), sets),
    seed,
    budgetSeconds: options.budgetSeconds,
    trials,
    onTrials: async (all) => {
      await store.keep(tunedModel, all);
      const last = all.at(-1);
      if (last !== undefined) options.onTrial(last, store.bestOf(tunedModel));
    },
    clock: options.clock,
  });
  const seconds = found.trials.reduce((sum, trial) => sum + trial.seconds, 0);
  return { path, best: found.best, trials: found.trials.length, seconds };
}

/** Mean of recall@10 and NDCG@10 of the judging customers. */
async function qualityOf(
  { kernels, seed }: RankingTools,
  settings: ReturnType<typeof settingsOf>,
  { teaching, judging }: { teaching: TestSet; judging: TestSet },
): Promise<number> {
  const windowOf = async (set: TestSet, choosingShare: number) =>
    rankerWindow(await fitCollaborative(kernels, set.train, settings, set.now, seed, () => {}), set, seed, {
      choosingShare,
    });
  const { learning } = await windowOf(teaching, 0);
  const ranker = fitLinearRanker(learning, linearRegularization);
  const { choosing } = await windowOf(judging, 1);
  return judgeRanker(ranker, choosing).overall();
}

function tooLittle(reason: string): AppError {
  return new AppError('INVALID_REQUEST', { public: `Nothing can be tuned: ${reason}.` });
}
