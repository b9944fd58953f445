/** Learns an `OfferModel` from a log of decisions. */
import { z } from 'zod';
import { fitPlatt } from '../calibration.ts';
import type { Rng } from '../rng.ts';
import { fitUplift, UpliftOptions } from '../uplift/fit-uplift.ts';
import { noContact, type UpliftArm, type UpliftLog } from '../uplift/uplift-log.ts';
import { createUpliftReader, numbersOf, traitsOf, type UpliftModel } from '../uplift/uplift-model.ts';
import {
  type AcceptanceModel,
  type AcceptanceRows,
  acceptanceCoefficients,
  fitAcceptance,
} from './acceptance.ts';
import { type CategoryShares, fitOf } from './category-fit.ts';
import { type OfferDescriptor, offerArm } from './offer-descriptor.ts';
import { acceptanceLogit, type OfferModel } from './offer-model.ts';

/** Decisions, one row a placement, with what was known of the customer before and what came afterwards. */
export type OfferLog = {
  rows: number;
  featureNames: readonly string[];
  channels: readonly string[];
  /** rows × (features + channels), as `writeContext` has them. */
  contexts: Float32Array;
  /** Offers that were made, each once. */
  offers: readonly OfferDescriptor[];
  /** By row: position among the offers, or `noContact`. */
  offer: Int32Array;
  propensity: Float64Array;
  /** Number of the customer. */
  customer: Int32Array;
  /** Categories that any of the offers is about. */
  categories: readonly string[];
  /** rows × categories: shares of the customer's interest; by row, the weight of the evidence behind them. */
  interest: Float32Array;
  evidence: Float32Array;
  /** By row: 1 where the offer was redeemed. */
  redeemed: Uint8Array;
  /** 1 where there was a purchase within the window. */
  purchased: Uint8Array;
  /** 1 for a customer who left, or the probability of it; NaN: not known. */
  churned: Float32Array;
};

export const OfferModelOptions = z.strictObject({
  uplift: UpliftOptions.prefault({ axes: 16 }),
  /** Weights of the squares of acceptance's coefficients. */
  acceptance: z
    .strictObject({
      common: z.number().min(0).default(3),
      trait: z.number().min(0).default(10),
      own: z.number().min(0).default(30),
    })
    .prefault({}),
});
export type OfferModelOptions = z.output<typeof OfferModelOptions>;

export type OfferFitContext = {
  windowDays: number;
  churnHorizonDays: number | undefined;
  usualOrderMinor: number;
};

/** Rows with a known churn below which nothing is said about it. */
const churnRowsMin = 200;
/** Parts of the customers that acceptance is calibrated on, each by a fit to the others. */
const calibrationParts = 3;

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
  const suits = pairFits(log, usualShares);
  const upliftLog = (reward: Float64Array): UpliftLog => ({
    rows: log.rows,
    columns: log.featureNames.length + log.channels.length,
    contexts: log.contexts,
    arm: log.offer,
    propensity: log.propensity,
    reward,
    customer: log.customer,
    fit: suits,
  });
  await onProgress(0);
  const purchase = await fitUplift(upliftLog(Float64Array.from(log.purchased)), arms, options.uplift, rng);
  await onProgress(0.45);
  const known = Int32Array.from(log.churned.keys()).filter((row) => !Number.isNaN(log.churned[row]!));
  const churn =
    churnHorizonDays !== undefined && isWorthLearning(log, known)
      ? await fitUplift(pickRows(upliftLog(Float64Array.from(log.churned)), known), arms, options.uplift, rng)
      : undefined;
  await onProgress(0.9);
  const acceptance = learnAcceptance(log, arms, purchase, suits, options);
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
  };
}

function isWorthLearning({ offer }: OfferLog, rows: Int32Array): boolean {
  const alone = rows.reduce((sum, row) => sum + (offer[row] === noContact ? 1 : 0), 0);
  return Math.min(alone, rows.length - alone) >= churnRowsMin;
}

/** Calibrated by logits that fits to other customers gave. */
function learnAcceptance(
  log: OfferLog,
  arms: readonly UpliftArm[],
  purchase: UpliftModel,
  suits: (row: number, arm: number) => number,
  options: OfferModelOptions,
): AcceptanceModel {
  const made = Int32Array.from(log.offer.keys()).filter((row) => log.offer[row] !== noContact);
  const traits = arms.map((arm) => traitsOf(purchase.traits, arm));
  const rows = acceptanceRows(log, made, purchase, suits);
  const part = made.map((row) => log.customer[row]! % calibrationParts);
  const logits = new Float64Array(made.length);
  for (let p = 0; p < calibrationParts; p++) {
    const others = Int32Array.from(part.keys()).filter((at) => part[at] !== p);
    const fitted = fitAcceptance(someOf(rows, others), traits, options.acceptance);
    const coefficients = traits.map((ofArm, a) => acceptanceCoefficients(fitted, ofArm, a));
    for (let at = 0; at < made.length; at++)
      if (part[at] === p)
        logits[at] = acceptanceLogit(
          coefficients[rows.arm[at]!]!,
          rows.numbers.subarray(at * rows.size + 1, (at + 1) * rows.size),
        );
  }
  return {
    ...fitAcceptance(rows, traits, options.acceptance),
    calibration: fitPlatt(logits, rows.redeemed),
  };
}

/** What the numbers of the offers that were made are, with a 1 before them. */
export function acceptanceRows(
  log: OfferLog,
  made: Int32Array,
  purchase: UpliftModel,
  suits: (row: number, arm: number) => number,
): AcceptanceRows {
  const read = createUpliftReader(purchase);
  const size = numbersOf(purchase) + 1;
  const columns = log.featureNames.length + log.channels.length;
  const numbers = new Float64Array(made.length * size);
  made.forEach((row, at) => {
    numbers[at * size] = 1;
    numbers.set(read(log.contexts, row * columns).numbers, at * size + 1);
    numbers[(at + 1) * size - 1] = suits(row, log.offer[row]!);
  });
  return {
    rows: made.length,
    size,
    numbers,
    arm: made.map((row) => log.offer[row]!),
    redeemed: Uint8Array.from(made, (row) => log.redeemed[row]!),
  };
}

function someOf({ size, numbers, arm, redeemed }: AcceptanceRows, chosen: Int32Array): AcceptanceRows {
  const some = new Float64Array(chosen.length * size);
  chosen.forEach((at, n) => {
    some.set(numbers.subarray(at * size, (at + 1) * size), n * size);
  });
  return {
    rows: chosen.length,
    size,
    numbers: some,
    arm: chosen.map((at) => arm[at]!),
    redeemed: Uint8Array.from(chosen, (at) => redeemed[at]!),
  };
}

function pickRows(log: UpliftLog, rows: Int32Array): UpliftLog {
  const { columns, contexts, arm, propensity, reward, customer, fit: suits } = log;
  if (rows.length === log.rows) return log;
  const picked = new Float32Array(rows.length * columns);
  rows.forEach((row, n) => {
    picked.set(contexts.subarray(row * columns, (row + 1) * columns), n * columns);
  });
  return {
    rows: rows.length,
    columns,
    contexts: picked,
    arm: rows.map((row) => arm[row]!),
    propensity: Float64Array.from(rows, (row) => propensity[row]!),
    reward: Float64Array.from(rows, (row) => reward[row]!),
    ...(customer !== undefined && { customer: rows.map((row) => customer[row]!) }),
    ...(suits !== undefined && { fit: (n: number, a: number) => suits(rows[n]!, a) }),
  };
}

function usualSharesOf({ rows, categories, interest }: OfferLog): CategoryShares {
  return new Map(
    categories.map((category, c) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += interest[row * categories.length + c]!;
      return [category, rows > 0 ? sum / rows : 0];
    }),
  );
}

/** As `categoryFit`, out of the log's columns. */
export function pairFits(
  { categories, interest, evidence, offers }: OfferLog,
  usual: CategoryShares,
): (row: number, offer: number) => number {
  const columns = offers.map((offer) =>
    Int32Array.from(offer.categories, (name) => categories.indexOf(name)),
  );
  const common = offers.map((offer) =>
    offer.categories.reduce((sum, name) => sum + (usual.get(name) ?? 0), 0),
  );
  return (row, offer) => {
    let own = 0;
    for (const column of columns[offer]!) own += interest[row * categories.length + column]!;
    return fitOf(own, common[offer]!, evidence[row]!);
  };
}
