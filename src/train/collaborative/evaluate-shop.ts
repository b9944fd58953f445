/** Judges every source, the fusion by rank and the learned ranker on the last weeks of the shop's own log. */
import type { Interval } from '../../algorithms/bootstrap.ts';
import { temporalSplit } from '../../algorithms/temporal-split.ts';
import { AppError } from '../../domain/errors.ts';
import { purchaseSpan } from '../../history/purchases.ts';
import { evaluateCollaborative, type JudgedName, type ProtocolEvaluation } from './evaluate.ts';
import { easeNote } from './fit-ease-rows.ts';
import { fitCollaborative } from './fit-model.ts';
import { bestSource } from './judge-candidate.ts';
import { type LearnedRanking, learnRanking, type RankingTools } from './learn-ranking.ts';
import { differenceOf, type Judged, type RankingQuality } from './quality.ts';
import type { CollaborativeSettings } from './settings.ts';
import { loadTestSet, shortageOf } from './shop-log.ts';

/** Means over customers, and the ends of their 95 % bootstrap intervals. */
type Figures = RankingQuality & { lower: RankingQuality; upper: RankingQuality };

export type ShopLine = Figures & {
  model: JudgedName;
  customers: number;
  /** Of the difference ranker − this one, customer by customer. */
  rankerAhead?: Figures;
};

export type ShopEvaluation = {
  lines: ShopLine[];
  /** The source alone that has the highest mean of the two figures. */
  best: JudgedName;
  learned: LearnedRanking;
  /** Whether EASE took part, and why not. */
  ease: string;
  testFrom: number;
};

export type ShopEvaluationOptions = {
  /** Length of the test, and of the windows before it that are learned from; at most a fifth of the log. */
  testDays: number;
  /** Nothing from this instant on is seen (milliseconds since 1970). */
  before: number;
  customersMax: number;
  /** Settings that were tuned on what lies before an instant. */
  tuned: (before: number) => Promise<CollaborativeSettings | undefined>;
  onProgress: (share: number, stage: string) => void | Promise<void>;
};

/** AppError where the log is too short. */
export async function evaluateShop(
  tools: RankingTools,
  { testDays, before, customersMax, tuned, onProgress }: ShopEvaluationOptions,
): Promise<ShopEvaluation> {
  const { lake, kernels, seed } = tools;
  const span = await purchaseSpan(lake, { before });
  if (span === undefined) throw tooLittle('there are no purchases by known customers');
  const { testFrom, validationFrom } = temporalSplit(span.first, span.last, testDays);
  const test = await loadTestSet(lake, testFrom, before, customersMax, seed);
  const shortage = shortageOf(test);
  if (shortage !== undefined) throw tooLittle(shortage);
  const period = { ...span, until: testFrom, windowMs: testFrom - validationFrom };
  const learned = await learnRanking(tools, period, await tuned(testFrom), (share, stage) =>
    onProgress(0.7 * share, stage),
  );
  const { settings, ranker } = learned;
  const sources = await fitCollaborative(kernels, test.train, settings, testFrom, seed, (share) =>
    onProgress(0.7 + 0.15 * share, 'learning without the last weeks'),
  );
  const model = ranker === undefined ? sources : { ...sources, ranker };
  const { allPurchases } = await evaluateCollaborative(model, test, (share) =>
    onProgress(0.85 + 0.15 * share, 'testing on the last weeks'),
  );
  return {
    lines: linesOf(allPurchases, seed),
    best: bestSource(allPurchases)[0],
    learned,
    ease: easeNote(model.sources?.ease, model.itemIds.length, settings.ease),
    testFrom,
  };
}

function linesOf(protocol: ProtocolEvaluation, seed: number): ShopLine[] {
  const ranker = protocol.get('ranker');
  return [...protocol].map(([model, judged]) => ({
    model,
    customers: judged.customers,
    ...figuresOf((metric) => judged.interval(metric, seed)),
    ...(ranker !== undefined && model !== 'ranker' && { rankerAhead: aheadOf(ranker, judged, seed) }),
  }));
}

function aheadOf(ranker: Judged, other: Judged, seed: number): Figures {
  return figuresOf((metric) => differenceOf(ranker, other, metric, seed));
}

function figuresOf(intervalOf: (metric: keyof RankingQuality) => Interval): Figures {
  const recall = intervalOf('recallAt10');
  const ndcg = intervalOf('ndcgAt10');
  return {
    recallAt10: recall.mean,
    ndcgAt10: ndcg.mean,
    lower: { recallAt10: recall.lower, ndcgAt10: ndcg.lower },
    upper: { recallAt10: recall.upper, ndcgAt10: ndcg.upper },
  };
}

function tooLittle(reason: string): AppError {
  return new AppError('INVALID_REQUEST', { public: `Nothing can be evaluated: ${reason}.` });
}
