/** Who takes up what, and who dismisses what: learnt by parts of the customers, so that each is foretold by a fit to the others. */
import { fitPlatt } from '../calibration.ts';
import { sigmoid } from '../logistic-regression.ts';
import { axesOf, type ContextBasis } from '../uplift/context-basis.ts';
import { noContact, type UpliftArm } from '../uplift/uplift-log.ts';
import { traitNames, traitsOf } from '../uplift/uplift-model.ts';
import {
  type AcceptanceModel,
  type AcceptanceRows,
  acceptanceCoefficients,
  acceptanceLogit,
  acceptPropensity,
  fitAcceptance,
} from './acceptance.ts';
import type { CategoryShares } from './category-fit.ts';
import { customerParts, type OfferLog, pairFits, partOf } from './offer-log.ts';
import type { AcceptScale } from './offer-model.ts';
import type { OfferModelOptions } from './offer-model-options.ts';

/** Dismissals below which nothing is said about who dismisses. */
const dismissalsMin = 20;
/** Where readings are told, there are several of them for each dismissal. */
const readingsADismissal = 2;
/** Offers that all are redeemed alike tell nothing by how they differ. */
const leastSpread = 0.005;

/**
 * Calibrated by logits that fits to other customers gave. `accepts` answers P(redeemed) of any row and offer by a fit to others, so that
 * what the row itself came to does not show in it; `scale` is that of it over the offers made.
 */
export function learnAcceptance(
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
  // Who has not redeemed what she holds is shown it again and again: each time as another one, all would seem to be refused.
  const made = Int32Array.from(log.offer.keys()).filter(
    (row) => log.offer[row] !== noContact && log.shownAgain[row] === 0,
  );
  const names = traitNames(arms);
  const traits = arms.map((arm) => traitsOf(names, arm));
  const rows = acceptanceRows(log, made, axes, basis.size, suits);
  const byPart = Array.from({ length: customerParts }, (_, part) => {
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
  const dismissalBy = (some: typeof untaken) =>
    dismissalOf(log, some, acceptanceRows(log, some, axes, basis.size, suits), traits, options);
  const dismissal = dismissalBy(untaken);
  const dismissalByPart =
    dismissal &&
    Array.from({ length: customerParts }, (_, part) => {
      const others = untaken.filter((row) => partOf(log, row) !== part);
      const fitted = dismissalBy(others);
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
 * Who could have dismissed an offer: who read it and did not take it up. Where nobody tells what is read, all who did not take
 * it up: what somebody does not open cannot be dismissed, and an offer that many take is dismissed by few of those that it
 * annoys.
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
