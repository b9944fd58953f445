/**
 * The churn model on a log of transactions, beside what knows less: learnt from what lies before a day, tested on whether
 * each customer known by then came back within the horizon after it. What is measured is what `train-churn` trains: the
 * log's purchases become events, and everything else is the same code.
 */
import { churnRisk } from '../../algorithms/churn-model.ts';
import { baseRate } from '../../algorithms/classification-metrics.ts';
import { UsageError } from '../../domain/errors.ts';
import type { ShopEvent } from '../../domain/event.ts';
import type { CustomerId, EventId, ItemId } from '../../domain/ids.ts';
import { dayMs } from '../../domain/time.ts';
import { type DayBasket, dayBaskets } from '../../evaluation/churn/day-baskets.ts';
import { measureRisks, type RiskFigures } from '../../evaluation/churn/measure-risks.ts';
import type { TransactionLog } from '../../evaluation/customer-base/transaction-log.ts';
import { dayText } from '../../evaluation/input/day.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { TensorFlow } from '../tensorflow.ts';
import { KNOWING_LESS, risksKnowingLess } from './knowing-less.ts';
import { type LearnOptions, learnChurn, learnDefaults } from './learn.ts';
import { prepareRows } from './learn-rows.ts';
import { looksBefore } from './moments.ts';
import { createSampler, drawCustomers } from './samples.ts';

export const CHURN_MODELS = ['network', ...KNOWING_LESS] as const;
export type ChurnModelName = (typeof CHURN_MODELS)[number];

export type ChurnLine = { model: ChurnModelName } & RiskFigures;

export type ChurnEvaluation = {
  lines: ChurnLine[];
  testCustomers: number;
  lost: number;
  /** Looks at earlier instants, and rows of them that were learnt from. */
  looks: number;
  learnRows: number;
  /** The last day of the log. */
  lastDay: number;
};

export type ChurnQuestion = {
  /** Days since 1970; the last that the models know of. */
  calibrationEnd: number;
  horizonDays: number;
  seed: number;
  options?: LearnOptions;
};

/** UsageError where the log has too little before the day or nothing after it. */
export async function evaluateChurnLog(
  tf: TensorFlow,
  log: TransactionLog,
  { calibrationEnd, horizonDays, seed, options = learnDefaults }: ChurnQuestion,
  onProgress: (share: number) => void,
): Promise<ChurnEvaluation> {
  const baskets = dayBaskets(log);
  let firstDay = Number.POSITIVE_INFINITY;
  let lastDay = Number.NEGATIVE_INFINITY;
  for (const days of baskets) {
    firstDay = Math.min(firstDay, days[0]!.day);
    lastDay = Math.max(lastDay, days.at(-1)!.day);
  }
  const end = (calibrationEnd + 1) * dayMs;
  const looks = looksBefore(firstDay * dayMs, end, horizonDays * dayMs);
  if (looks.length === 0)
    throw new UsageError(
      `The log begins on ${dayText(firstDay)}: there is too little before ${dayText(calibrationEnd)} to learn from.`,
    );
  if (lastDay <= calibrationEnd)
    throw new UsageError(
      `The log ends on ${dayText(lastDay)}: nothing comes after ${dayText(calibrationEnd)} to test on.`,
    );
  const instants = [...new Set([...looks.map(({ at }) => at), end])].sort((a, b) => a - b);
  const isDrawn = drawCustomers(log.customers, instants.length - 1, seed);
  const sampler = createSampler(instants, { draw: { before: end, isDrawn } });
  for (const [customer, days] of baskets.entries()) sampler.add(eventsOf(customer, days));
  const sets = sampler.finish();
  const atEnd = sets[instants.indexOf(end)]!;
  const study = { looks: looks.map((look) => ({ ...look, set: sets[instants.indexOf(look.at)]! })), atEnd };
  const prepared = prepareRows(study, seed, options.rowsMax);
  const learntFrom = new Set(prepared.rows.customers).size;
  if (learntFrom < options.folds)
    throw new UsageError(
      `The log has ${learntFrom} ${learntFrom === 1 ? 'customer' : 'customers'} to learn from before ${dayText(calibrationEnd)}: it takes at least ${options.folds}.`,
    );
  const lost = Uint8Array.from(atEnd.daysToNextOrder, (days) => (days >= horizonDays ? 1 : 0));
  const targets = { horizonDays, horizons: [horizonDays], gone: undefined };
  const { model, rows } = await learnChurn(tf, prepared, targets, options, seed, onProgress);
  const width = FEATURE_NAMES.length;
  const ofNetwork = Float64Array.from({ length: atEnd.rows }, (_, row) =>
    churnRisk(model, atEnd.features.subarray(row * width, (row + 1) * width)),
  );
  const risks: Record<ChurnModelName, Float64Array> = {
    network: ofNetwork,
    ...risksKnowingLess(prepared, atEnd, horizonDays),
  };
  return {
    lines: CHURN_MODELS.map((name) => ({ model: name, ...measureRisks(risks[name], lost) })),
    testCustomers: atEnd.rows,
    lost: baseRate(lost),
    looks: looks.length,
    learnRows: rows,
    lastDay,
  };
}

/** At noon: a day's purchases lie within it, and two days are two errands. */
function eventsOf(customer: number, days: readonly DayBasket[]): ShopEvent[] {
  return days.map(({ day, amount }) => ({
    type: 'purchase' as const,
    eventId: `${customer}-${day}` as EventId,
    customerId: `${customer}` as CustomerId,
    channel: 'web' as const,
    occurredAt: (day + 0.5) * dayMs,
    lines: [{ itemId: 'basket' as ItemId, quantity: 1, unitPriceMinor: Math.round(100 * amount) }],
  }));
}
