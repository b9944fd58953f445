/** Learns an `OfferModel` from a log of decisions. */
import type { Rng } from '../rng.ts';
import { fitContextBasis, widestOf } from '../uplift/context-basis.ts';
import { axesOfAll, fitUplift } from '../uplift/fit-uplift.ts';
import { noContact, type UpliftLog } from '../uplift/uplift-log.ts';
import { assumedSizes, withLeftOut } from './keeping.ts';
import { learnAcceptance } from './learn-acceptance.ts';
import { learnKeeping, learnPersuasion } from './learn-sizes.ts';
import { offerArm } from './offer-descriptor.ts';
import { type OfferLog, pickMatrix, usualSharesOf } from './offer-log.ts';
import { type OfferModel, scaledAcceptance } from './offer-model.ts';
import type { OfferModelOptions } from './offer-model-options.ts';

export type OfferFitContext = {
  windowDays: number;
  churnHorizonDays: number | undefined;
  usualOrderMinor: number;
};

/** Rows with a known churn below which nothing is said about it. */
const churnRowsMin = 200;

/**
 * RangeError as `fitUplift`. Deterministic in its random numbers. `onProgress` is told the share that is done, and awaited:
 * it lets the process breathe.
 */
export async function fitOfferModel(
  log: OfferLog,
  { windowDays, churnHorizonDays, usualOrderMinor }: OfferFitContext,
  options: OfferModelOptions,
  rng: Rng,
  onProgress: (share: number) => Promise<void> | void = () => {},
): Promise<OfferModel> {
  const arms = log.offers.map(offerArm);
  const usualShares = usualSharesOf(log);
  const columns = log.featureNames.length + log.channels.length;
  const basis = fitContextBasis(
    { rows: log.rows, columns, contexts: log.contexts },
    axesOfAll(options.uplift),
  );
  await onProgress(0);
  const { acceptance, scale, accepts, dismissal, dismisses } = learnAcceptance(
    log,
    widestOf(basis, options.uplift.axes),
    arms,
    usualShares,
    options,
  );
  /** A call is no message that somebody is annoyed by. */
  const annoys = (row: number, offer: number) =>
    log.offers[offer]!.kind === 'serviceContact' ? 0 : dismisses(row, offer);
  const upliftLog = (reward: Float64Array): UpliftLog => ({
    rows: log.rows,
    columns,
    contexts: log.contexts,
    arm: log.offer,
    propensity: log.propensity,
    reward,
    customer: log.customer,
    fit: (row, arm) => scaledAcceptance(scale, accepts(row, arm)),
  });
  await onProgress(0.2);
  const kinds = log.offers.map(({ kind }) => kind);
  const { persuasion, expected } = await learnPersuasion(log, basis, kinds, options, accepts, annoys);
  await onProgress(0.25);
  const purchase = await fitUplift(
    {
      ...upliftLog(Float64Array.from(log.orders)),
      basis,
      assumed: (row, arm) =>
        persuasion.share[arm]! * accepts(row, arm) - persuasion.leftOut * annoys(row, arm) * expected[row]!,
    },
    arms,
    options.uplift,
    rng,
  );
  await onProgress(0.6);
  const known = Int32Array.from(log.churned.keys()).filter((row) => !Number.isNaN(log.churned[row]!));
  const knownBasis =
    churnHorizonDays !== undefined && isWorthLearning(log, known)
      ? fitContextBasis(
          { rows: known.length, columns, contexts: pickMatrix(log.contexts, columns, known) },
          axesOfAll(options.churn),
        )
      : undefined;
  const churn =
    knownBasis &&
    (await fitUplift(
      { ...pickRows(upliftLog(Float64Array.from(log.churned)), known), basis: knownBasis },
      arms,
      options.churn,
      rng,
    ));
  await onProgress(0.9);
  const keeping =
    knownBasis === undefined
      ? assumedSizes()
      : await learnKeeping(log, known, knownBasis, options, dismisses);
  await onProgress(1);
  return {
    featureNames: log.featureNames,
    channels: log.channels,
    windowDays,
    churnHorizonDays: churn === undefined ? undefined : churnHorizonDays,
    usualOrderMinor,
    usualShares,
    purchase,
    churn,
    acceptance,
    acceptScale: scale,
    dismissal,
    kinds,
    persuasion,
    // Who learns does not judge.
    withheld: [],
    keeping: withLeftOut(keeping, persuasion),
  };
}

function isWorthLearning({ offer }: OfferLog, rows: Int32Array): boolean {
  const alone = rows.reduce((sum, row) => sum + (offer[row] === noContact ? 1 : 0), 0);
  return Math.min(alone, rows.length - alone) >= churnRowsMin;
}

function pickRows(log: UpliftLog, rows: Int32Array): UpliftLog {
  const { columns, contexts, arm, propensity, reward, customer, fit: suits } = log;
  if (rows.length === log.rows) return log;
  return {
    rows: rows.length,
    columns,
    contexts: pickMatrix(contexts, columns, rows),
    arm: rows.map((row) => arm[row]!),
    propensity: Float64Array.from(rows, (row) => propensity[row]!),
    reward: Float64Array.from(rows, (row) => reward[row]!),
    ...(customer !== undefined && { customer: rows.map((row) => customer[row]!) }),
    ...(suits !== undefined && { fit: (n: number, a: number) => suits(rows[n]!, a) }),
  };
}
