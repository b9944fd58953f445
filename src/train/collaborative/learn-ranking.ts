/** Learns from what lies before an instant how this shop's items are to be ranked: hyper-parameters, then the ranker. */
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { Lake } from '../../history/lake.ts';
import type { Logger } from '../../infra/logger.ts';
import { chooseSettings } from './choose-settings.ts';
import { fitCollaborative } from './fit-model.ts';
import { type FittedRanker, fitRanker } from './fit-ranker.ts';
import { type RankerWindow, rankerWindow } from './ranker-samples.ts';
import { type CollaborativeSettings, defaultSettings } from './settings.ts';
import { loadTestSet, shortageOf } from './shop-log.ts';

export type RankingTools = { lake: Lake; kernels: Kernels; seed: number; log: Logger };

/** What is learned from; times are milliseconds since 1970. */
export type RankingPeriod = {
  /** Of the first event. */
  first: number;
  /** Nothing from here on is seen. */
  until: number;
  windowMs: number;
  /** Customers who bought in it, about. */
  customers: number;
};

export type LearnedRanking = FittedRanker & {
  settings: CollaborativeSettings;
  settingsFrom: SettingsOrigin;
  /** Windows that the ranker learned from. */
  windows: number;
};

/** `tuned`: found by `nextbest tune`; `validation`: by the quick search of every training; `default`: too little to choose by. */
export type SettingsOrigin = 'tuned' | 'validation' | 'default';

/** Of a larger shop, that many customers a window are drawn. */
export const validationCustomersMax = 2000;
/**
 * Settings and ranker are learned on the log of so many customers, drawn from a larger shop's: what they cost does not
 * grow with the shop, and a hundred thousand customers tell them all that more would.
 */
const learningCustomersMax = 100_000;
const windowsMax = 3;
/** Sources need something to stand on: a window is used if at least this share of the period lies before it. */
const shareBeforeWindow = 0.3;
type OnShare = (share: number, stage: string) => void | Promise<void>;

export async function learnRanking(
  tools: RankingTools,
  period: RankingPeriod,
  tuned: CollaborativeSettings | undefined,
  onProgress: OnShare,
): Promise<LearnedRanking> {
  const chosen =
    tuned === undefined
      ? await chooseFor(tools, period, (share) => onProgress(0.4 * share, 'choosing parameters'))
      : { settings: tuned, settingsFrom: 'tuned' as const };
  const windows: RankerWindow[] = [];
  for (const from of windowStarts(period)) {
    const stage = (share: number) =>
      onProgress(0.4 + 0.4 * ((windows.length + share) / windowsMax), 'looking at past weeks');
    const window = await learnWindow(tools, from, period, chosen.settings, stage);
    if (window === undefined) break;
    windows.push(window);
  }
  const fitted = await fitRanker(windows, tools.seed, tools.log, (share) =>
    onProgress(0.8 + 0.2 * share, 'learning to rank'),
  );
  return { ...chosen, ...fitted, windows: windows.length };
}

/** Settings chosen on the last window; the defaults where too few customers bought in it. */
async function chooseFor(
  { lake, kernels, seed }: RankingTools,
  period: RankingPeriod,
  onProgress: (share: number) => void | Promise<void>,
): Promise<Pick<LearnedRanking, 'settings' | 'settingsFrom'>> {
  const { until, windowMs } = period;
  const validation = await loadTestSet(
    lake,
    until - windowMs,
    until,
    validationCustomersMax,
    seed,
    learningShare(period),
  );
  if (shortageOf(validation) !== undefined) return { settings: defaultSettings, settingsFrom: 'default' };
  return {
    settings: await chooseSettings(kernels, validation, seed, onProgress),
    settingsFrom: 'validation',
  };
}

/** Share of the shop's customers whose log is learned from. */
export function learningShare({ customers }: Pick<RankingPeriod, 'customers'>): number {
  return Math.min(1, learningCustomersMax / Math.max(1, customers));
}

/** Newest first. */
export function windowStarts({ first, until, windowMs }: RankingPeriod): number[] {
  const earliest = first + shareBeforeWindow * (until - first);
  return Array.from({ length: windowsMax }, (_, w) => until - (w + 1) * windowMs).filter(
    (from) => from >= earliest,
  );
}

/** One window: sources from what came before it, labels from it; undefined where too few bought in it. */
async function learnWindow(
  { lake, kernels, seed }: RankingTools,
  from: number,
  period: Pick<RankingPeriod, 'windowMs' | 'customers'>,
  settings: CollaborativeSettings,
  onProgress: (share: number) => void | Promise<void> = () => {},
): Promise<RankerWindow | undefined> {
  const set = await loadTestSet(
    lake,
    from,
    from + period.windowMs,
    validationCustomersMax,
    seed,
    learningShare(period),
  );
  if (shortageOf(set) !== undefined) return undefined;
  const model = await fitCollaborative(kernels, set.train, settings, from, seed, (share) =>
    onProgress(0.6 * share),
  );
  return rankerWindow(model, set, seed, { onProgress: (share) => onProgress(0.6 + 0.4 * share) });
}
