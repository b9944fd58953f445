/** Learns an `OfferModel` from a log of decisions. */
import { z } from 'zod';
import { fitPlatt } from '../calibration.ts';
import { sigmoid } from '../logistic-regression.ts';
import type { Rng } from '../rng.ts';
import { axesOf, type ContextBasis, fitContextBasis, widestOf } from '../uplift/context-basis.ts';
import { axesOfAll, fitUplift, UpliftOptions } from '../uplift/fit-uplift.ts';
import { crossFitResponse } from '../uplift/response-model.ts';
import { armWeights } from '../uplift/row-weights.ts';
import { noContact, type UpliftArm, type UpliftLog } from '../uplift/uplift-log.ts';
import { traitNames, traitsOf } from '../uplift/uplift-model.ts';
import {
  type AcceptanceModel,
  type AcceptanceRows,
  acceptanceCoefficients,
  acceptanceLogit,
  acceptPropensity,
  fitAcceptance,
} from './acceptance.ts';
import { type CategoryShares, fitOf } from './category-fit.ts';
import type { GaussianSizes } from './gaussian-sizes.ts';
import {
  assumedSizes,
  causesSize,
  fitSizes,
  standingColumns,
  standingOf,
  withLeftOut,
  writeCauses,
} from './keeping.ts';
import { type OfferDescriptor, offerArm } from './offer-descriptor.ts';
import { type AcceptScale, type OfferModel, scaledAcceptance } from './offer-model.ts';
import { fitPersuasion, type Persuasion } from './persuasion.ts';

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
  /** 1 where it is known to have been read (seen, or answered in any way), taken up (clicked or redeemed), dismissed. */
  read: Uint8Array;
  taken: Uint8Array;
  dismissed: Uint8Array;
  /** Orders within the window. */
  orders: Uint8Array;
  /** 1 for a customer who left; NaN: not known. */
  churned: Float32Array;
};

/** Cheap to ask: a shop asks of 50 offers for 5,000 customers a second. */
const upliftDefaults = {
  axes: 16,
  responseAxes: 64,
  response: 'linear' as const,
  learners: ['average' as const, 'linear' as const],
  // Offers persuade those with room for another order; what is redeemed by whom tells more than what is bought anyway.
  proportionality: 0,
  // Beside what is assumed.
  averageScale: 0.03,
  calibrated: true,
};

export const OfferModelOptions = z.strictObject({
  uplift: UpliftOptions.prefault(upliftDefaults),
  /** Of the effect on leaving: small, and told by few, so that it is drawn to none. */
  churn: UpliftOptions.prefault({ ...upliftDefaults, averageScale: 0.008, scaleMax: 0.008 }),
  /** Weights of the squares of acceptance's coefficients. */
  acceptance: z
    .strictObject({
      common: z.number().min(0).default(3),
      traitAverage: z.number().min(0).default(1),
      ownAverage: z.number().min(0).default(4),
      trait: z.number().min(0).default(10),
      own: z.number().min(0).default(30),
    })
    .prefault({}),
  /** Of dismissals, which are rarer, and go by the customer rather than by the offer. */
  dismissal: z
    .strictObject({
      common: z.number().min(0).default(3),
      traitAverage: z.number().min(0).default(1),
      ownAverage: z.number().min(0).default(4),
      trait: z.number().min(0).default(100),
      own: z.number().min(0).default(300),
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
/** Dismissals below which nothing is said about who dismisses. */
const dismissalsMin = 20;
/** Where readings are told, there are several of them for each dismissal. */
const readingsADismissal = 2;
/** Offers that all are redeemed alike tell nothing by how they differ. */
const leastSpread = 0.005;
/** Parts of the customers that acceptance is foretold in, each by a fit to the others. */
const acceptanceParts = 3;

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

/**
 * Calibrated by logits that fits to other customers gave. `accepts` answers P(redeemed) of any row and offer by a fit to others, so that
 * what the row itself came to does not show in it; `scale` is that of it over the offers made.
 */
function learnAcceptance(
  log: OfferLog,
  basis: ContextBasis,
  arms: readonly UpliftArm[],
  usualShares: CategoryShares,
  options: OfferModelOptions,
): {
  acceptance: AcceptanceModel;
  scale: AcceptScale;
  accepts: (row: number, offer: number) => number;
  dismissal: AcceptanceModel | undefined;
  /** P(dismissed | read and not taken) of any row and offer, by a fit to others. */
  dismisses: (row: number, offer: number) => number;
} {
  const axes = axesOf(log.contexts, log.rows, basis);
  const suits = pairFits(log, usualShares);
  const made = Int32Array.from(log.offer.keys()).filter((row) => log.offer[row] !== noContact);
  const names = traitNames(arms);
  const traits = arms.map((arm) => traitsOf(names, arm));
  const rows = acceptanceRows(log, made, axes, basis.size, suits);
  const byPart = Array.from({ length: acceptanceParts }, (_, part) => {
    const others = Int32Array.from(made.keys()).filter((at) => partOf(log, made[at]!) !== part);
    const fitted = fitAcceptance(someOf(rows, others), traits, options.acceptance);
    return traits.map((ofArm, a) => acceptanceCoefficients(fitted, ofArm, a));
  });
  const logitOf = (row: number, offer: number) =>
    acceptanceLogit(byPart[partOf(log, row)]![offer]!, axes, row * basis.size, suits(row, offer));
  const calibration = fitPlatt(
    Float64Array.from(made, (row) => logitOf(row, log.offer[row]!)),
    rows.redeemed,
  );
  const accepts = (row: number, offer: number) => acceptPropensity(calibration, logitOf(row, offer));
  const untaken = rowsToDismiss(log, made);
  const dismissal = dismissalOf(
    log,
    untaken,
    acceptanceRows(log, untaken, axes, basis.size, suits),
    traits,
    options,
  );
  const dismissalByPart =
    dismissal &&
    Array.from({ length: acceptanceParts }, (_, part) => {
      const others = untaken.filter((row) => partOf(log, row) !== part);
      const fitted = dismissalOf(
        log,
        others,
        acceptanceRows(log, others, axes, basis.size, suits),
        traits,
        options,
      );
      return fitted && traits.map((ofArm, a) => acceptanceCoefficients(fitted, ofArm, a));
    });
  return {
    acceptance: { ...fitAcceptance(rows, traits, options.acceptance), calibration },
    scale: scaleOf(Float64Array.from(made, (row) => accepts(row, log.offer[row]!))),
    accepts,
    dismissal,
    dismisses: (row, offer) => {
      const ofPart = dismissalByPart?.[partOf(log, row)];
      if (ofPart === undefined) return 0;
      return sigmoid(acceptanceLogit(ofPart[offer]!, axes, row * basis.size, suits(row, offer)));
    },
  };
}

/**
 * Who could have dismissed an offer: who read it and did not take it up. Where nobody tells what is read, all who did not take it up: what
 * somebody does not open cannot be dismissed, and an offer that many take is dismissed by few of those that it annoys.
 */
function rowsToDismiss({ read, taken, dismissed }: OfferLog, made: Int32Array): Int32Array {
  const untaken = made.filter((row) => taken[row] === 0);
  const readings = untaken.filter((row) => read[row] === 1);
  const dismissals = untaken.reduce((sum, row) => sum + dismissed[row]!, 0);
  return readings.length >= readingsADismissal * dismissals ? readings : untaken;
}

/** P(dismissed | read and not taken), of the same numbers as P(redeemed | made). */
function dismissalOf(
  { dismissed }: OfferLog,
  untaken: Int32Array,
  rows: AcceptanceRows,
  traits: readonly Float64Array[],
  { dismissal }: OfferModelOptions,
): AcceptanceModel | undefined {
  const labels = Uint8Array.from(untaken, (row) => dismissed[row]!);
  const count = labels.reduce((sum, label) => sum + label, 0);
  if (count < dismissalsMin) return undefined;
  return fitAcceptance({ ...rows, redeemed: labels }, traits, dismissal);
}

/** Which offers persuade; and the orders that each row's customer is expected to make, by a fit to others. */
async function learnPersuasion(
  log: OfferLog,
  basis: ContextBasis,
  kinds: readonly string[],
  { uplift }: OfferModelOptions,
  accepts: (row: number, offer: number) => number,
  annoys: (row: number, offer: number) => number,
): Promise<{ persuasion: Persuasion; expected: Float64Array }> {
  const { rows, contexts } = log;
  const orders = Float64Array.from(log.orders);
  const { expected, weight } = await expectedOf(log, basis, contexts, log, orders, uplift, (row) =>
    partOf(log, row),
  );
  const ofMade = (of: (row: number, offer: number) => number) =>
    Float64Array.from(log.offer, (offer, row) => (offer === noContact ? 0 : of(row, offer)));
  const annoyed = Float64Array.from({ length: rows }, (_, row) => meanOverOffers(log, row, annoys));
  const persuasion = fitPersuasion(
    {
      rows,
      offer: log.offer,
      accepts: ofMade(accepts),
      dismisses: ofMade(annoys),
      annoyed,
      orders,
      expected,
      weight,
    },
    kinds,
  );
  return { persuasion, expected };
}

function meanOverOffers(
  { offers }: OfferLog,
  row: number,
  of: (row: number, offer: number) => number,
): number {
  let sum = 0;
  for (let offer = 0; offer < offers.length; offer++) sum += of(row, offer);
  return sum / offers.length;
}

/** What is expected of each row, by fits to other customers; and the weights of the rows, so that offers look as if chosen by lot. */
async function expectedOf(
  log: OfferLog,
  wide: ContextBasis,
  contexts: Float32Array,
  { rows, offer, propensity }: Pick<OfferLog, 'rows' | 'offer' | 'propensity'>,
  reward: Float64Array,
  { responseAxes, weightMax }: UpliftOptions,
  part: (row: number) => number,
): Promise<{ expected: Float64Array; weight: Float64Array }> {
  const columns = log.featureNames.length + log.channels.length;
  const basis = widestOf(wide, responseAxes);
  const weight = armWeights({ rows, arm: offer, propensity }, log.offers.length, weightMax);
  const { expected } = await crossFitResponse({
    rows,
    columns,
    contexts,
    axes: axesOf(contexts, rows, basis),
    size: basis.size,
    reward,
    weight,
    part: Uint8Array.from({ length: rows }, (_, row) => part(row)),
    parts: acceptanceParts,
    trees: false,
  });
  return { expected, weight };
}

/** Sizes of what makes customers stay, by those of whom it is known whether they left. */
async function learnKeeping(
  log: OfferLog,
  known: Int32Array,
  basis: ContextBasis,
  { churn }: OfferModelOptions,
  dismisses: (row: number, offer: number) => number,
): Promise<GaussianSizes> {
  const rows = known.length;
  const columns = log.featureNames.length + log.channels.length;
  const contexts = pickMatrix(log.contexts, columns, known);
  const left = Float64Array.from(known, (row) => log.churned[row]!);
  const some = {
    rows,
    offer: known.map((row) => log.offer[row]!),
    propensity: Float64Array.from(known, (row) => log.propensity[row]!),
  };
  const { expected, weight } = await expectedOf(log, basis, contexts, some, left, churn, (at) =>
    partOf(log, known[at]!),
  );
  const standings = standingColumns(log.featureNames);
  const causes = new Float64Array(rows * causesSize);
  const width = 5;
  const controls = new Float64Array(rows * width);
  for (const [at, row] of known.entries()) {
    const standing = standingOf(standings, contexts, at * columns);
    const leaving = Math.max(0, Math.min(1, expected[at]!));
    const offer = log.offer[row]!;
    if (offer !== noContact) {
      const inputs = { ...standing, leaving, dismisses: dismisses(row, offer) };
      writeCauses(log.offers[offer]!, inputs, causes, at * causesSize);
    }
    const annoyed = meanOverOffers(log, row, dismisses);
    controls.set([1, leaving, annoyed, standing.grievance, standing.takesPart], at * width);
  }
  const unexpectedlyLeft = left.map((value, at) => value - expected[at]!);
  return fitSizes({ rows, causes, controls, width, unexpectedlyLeft, weight });
}

/** All decisions on a customer in the same part. */
function partOf({ customer }: OfferLog, row: number): number {
  return customer[row]! % acceptanceParts;
}

/** z of the offers that were made. */
function acceptanceRows(
  log: OfferLog,
  made: Int32Array,
  axes: Float32Array,
  width: number,
  suits: (row: number, offer: number) => number,
): AcceptanceRows {
  const size = width + 2;
  const numbers = new Float64Array(made.length * size);
  made.forEach((row, at) => {
    numbers[at * size] = 1;
    numbers.set(axes.subarray(row * width, (row + 1) * width), at * size + 1);
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

function scaleOf(values: Float64Array): AcceptScale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, spread: Math.max(leastSpread, Math.sqrt(variance)) };
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

/** The log of some of its rows, in their order. */
export function pickLog(log: OfferLog, rows: Int32Array): OfferLog {
  const columns = log.featureNames.length + log.channels.length;
  return {
    ...log,
    rows: rows.length,
    contexts: pickMatrix(log.contexts, columns, rows),
    offer: rows.map((row) => log.offer[row]!),
    propensity: Float64Array.from(rows, (row) => log.propensity[row]!),
    customer: rows.map((row) => log.customer[row]!),
    interest: pickMatrix(log.interest, log.categories.length, rows),
    evidence: Float32Array.from(rows, (row) => log.evidence[row]!),
    redeemed: Uint8Array.from(rows, (row) => log.redeemed[row]!),
    read: Uint8Array.from(rows, (row) => log.read[row]!),
    taken: Uint8Array.from(rows, (row) => log.taken[row]!),
    dismissed: Uint8Array.from(rows, (row) => log.dismissed[row]!),
    orders: Uint8Array.from(rows, (row) => log.orders[row]!),
    churned: Float32Array.from(rows, (row) => log.churned[row]!),
  };
}

function pickMatrix(matrix: Float32Array, columns: number, rows: Int32Array): Float32Array {
  const picked = new Float32Array(rows.length * columns);
  rows.forEach((row, n) => {
    picked.set(matrix.subarray(row * columns, (row + 1) * columns), n * columns);
  });
  return picked;
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
