/**
 * By how much an offer makes a customer stay, or drives her away:
 *
 *   churnReduction = Σₖ sizeₖ · causeₖ(customer, offer)
 *
 * Causes are few, so that a log can tell something of each, where it tells nothing of single offers. A size begins at what is assumed
 * (assumed-effects.ts), is as uncertain as that says, and moves as far as the log tells (a linear Gaussian regression, solved exactly):
 *
 *   left − E[left] = zᵀγ − Σₖ shownₖ · sizeₖ · causeₖ + ε
 *
 * E[left] is foretold by a fit to other customers; z are numbers of the customer that the causes are made of, so that who gets
 * an offer is not taken for what it does. Leaving is counted within a horizon; of an effect that goes on beyond it, only the
 * share `shown` is seen there.
 */
import { factorise } from '../uplift/cholesky.ts';
import { ANNOYANCE, KEEPING_ASSUMED, KEEPING_CORRELATION } from './assumed-effects.ts';
import { type GaussianSizes, gaussianSizes, usualOverlap } from './gaussian-sizes.ts';

export const KEEPING_CAUSES = ['dismissal', 'retention', 'service', 'grievance', 'invitation'] as const;

/** Sizes in the order of the causes, and L of their covariance LLᵀ, lower half, row by row. */
export type KeepingSizes = { mean: Float64Array; factor: Float64Array };

/** What of the customer and the pair the causes are made of. */
export type KeepingInputs = {
  /** P(dismissed | read and not taken). */
  dismisses: number;
  /** P(leaving) without contact. */
  leaving: number;
  /** How aggrieved she is, and whether she takes part in the community: 0 to 1. */
  grievance: number;
  takesPart: number;
};

export const causesSize = KEEPING_CAUSES.length;

/**
 * Whether contacts keep anybody at all is one question: what the log tells of it by one cause is believed of the others. All
 * but the dismissals, which drive away.
 */
const keepingCauses = { from: 1, to: causesSize, correlation: KEEPING_CORRELATION };

/** A service contact is no message that somebody is annoyed by: what is sold is dismissed. */
export function writeCauses(
  { kind, retention }: { kind: string; retention: boolean },
  { dismisses, leaving, grievance, takesPart }: KeepingInputs,
  out: Float64Array,
  to = 0,
): void {
  const service = kind === 'serviceContact';
  out[to] = service ? 0 : -dismisses;
  out[to + 1] = retention && !service ? leaving : 0;
  out[to + 2] = service ? 1 : 0;
  out[to + 3] = service ? grievance : 0;
  out[to + 4] = kind === 'communityInvitation' ? takesPart : 0;
}

/** Before any log. */
export function assumedSizes(): GaussianSizes {
  const covariance = new Float64Array(causesSize * causesSize);
  const mean = Float64Array.from(KEEPING_CAUSES, (cause) => KEEPING_ASSUMED[cause].size);
  const deviation = KEEPING_CAUSES.map((cause) => KEEPING_ASSUMED[cause].deviation);
  const isKeeping = (k: number) => k >= keepingCauses.from && k < keepingCauses.to;
  for (let i = 0; i < causesSize; i++)
    for (let j = 0; j < causesSize; j++) {
      const correlation = i === j ? 1 : isKeeping(i) && isKeeping(j) ? keepingCauses.correlation : 0;
      covariance[i * causesSize + j] = correlation * deviation[i]! * deviation[j]!;
    }
  return { mean, covariance };
}

/** With the orders that annoyance leaves out (persuasion.ts), which are as good as lost: they count as part of the remaining lifetime. */
export function withLeftOut(
  { mean, covariance }: GaussianSizes,
  { leftOut, leftOutDeviation }: { leftOut: number; leftOutDeviation: number },
): KeepingSizes {
  const share = ANNOYANCE.days / valueDays;
  const sizes = mean.slice();
  sizes[0]! += share * leftOut;
  const factor = covariance.slice();
  factor[0]! += (share * leftOutDeviation) ** 2;
  factorise(factor, causesSize);
  return { mean: sizes, factor };
}

/** That a customer's value is reckoned over. */
const valueDays = 365;

export type KeepingRows = {
  rows: number;
  /** rows × causes; 0 where nothing was offered. */
  causes: Float64Array;
  /** rows × width. */
  controls: Float64Array;
  width: number;
  /** By row: 1 or 0 less what is expected of the customer; and its weight, of mean 1. */
  unexpectedlyLeft: Float64Array;
  weight: Float64Array;
  /** Number of the customer, from 0. */
  customer: Int32Array;
};

/** Deviation of a control's coefficient, before: none that matters. */
const controlDeviation = 10;

export function fitSizes({
  rows,
  causes,
  controls,
  width,
  unexpectedlyLeft,
  weight,
  customer,
}: KeepingRows): GaussianSizes {
  const size = causesSize + width;
  const assumed = new Float64Array(size);
  const deviation = new Float64Array(size).fill(controlDeviation);
  const shown = KEEPING_CAUSES.map((cause) => KEEPING_ASSUMED[cause].shown);
  for (const [k, cause] of KEEPING_CAUSES.entries()) {
    assumed[k] = KEEPING_ASSUMED[cause].size;
    deviation[k] = KEEPING_ASSUMED[cause].deviation;
  }
  const learnt = gaussianSizes(
    {
      rows,
      target: unexpectedlyLeft,
      weight,
      overlap: overlapOf({ rows, causes, unexpectedlyLeft, weight, customer }),
    },
    { assumed, deviation, together: keepingCauses },
    (row, x) => {
      for (let k = 0; k < causesSize; k++) x[k] = -shown[k]! * causes[row * causesSize + k]!;
      for (let c = 0; c < width; c++) x[causesSize + c] = controls[row * width + c]!;
    },
  );
  const covariance = new Float64Array(causesSize * causesSize);
  for (let i = 0; i < causesSize; i++)
    for (let j = 0; j < causesSize; j++) covariance[i * causesSize + j] = learnt.covariance[i * size + j]!;
  return { mean: learnt.mean.slice(0, causesSize), covariance };
}

/** Customers whom something was to keep, below which nothing is said of how far their decisions overlap. */
const customersMin = 100;
/** What is told of it, at the least and at the most: it is itself estimated. */
const [overlapMin, overlapMax] = [0.25, 4];

/**
 * How many times less a log tells of what keeps than its rows say: the variance of the sum of each customer's decisions, over
 * that of as many rows apart (the "meat" of Liang and Zeger 1986 along what is assumed). Above 1 where one leaving is seen by
 * many decisions; below it where the rows of what keeps weigh less than others, since few offers compete there, and are no less
 * certain for it.
 */
function overlapOf({
  rows,
  causes,
  unexpectedlyLeft,
  weight,
  customer,
}: Pick<KeepingRows, 'rows' | 'causes' | 'unexpectedlyLeft' | 'weight' | 'customer'>): number {
  const byCustomer = new Map<number, number>();
  let squares = 0;
  let total = 0;
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    const [w, rest] = [weight[row]!, unexpectedlyLeft[row]!];
    squares += w * rest * rest;
    total += w;
    let keeps = 0;
    for (let k = keepingCauses.from; k < keepingCauses.to; k++)
      keeps += KEEPING_ASSUMED[KEEPING_CAUSES[k]!].size * causes[row * causesSize + k]!;
    if (keeps === 0) continue;
    kept += w * keeps * keeps;
    byCustomer.set(customer[row]!, (byCustomer.get(customer[row]!) ?? 0) + w * keeps * rest);
  }
  if (byCustomer.size < customersMin || squares === 0) return usualOverlap;
  let together = 0;
  for (const score of byCustomer.values()) together += score * score;
  return Math.min(overlapMax, Math.max(overlapMin, (together * total) / (squares * kept)));
}

/** Mean and standard deviation of the churn reduction. */
export function keepingOf(
  { mean, factor }: KeepingSizes,
  causes: ArrayLike<number>,
): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let k = 0; k < causesSize; k++) {
    sum += mean[k]! * causes[k]!;
    let turned = 0;
    for (let i = k; i < causesSize; i++) turned += factor[i * causesSize + k]! * causes[i]!;
    squares += turned * turned;
  }
  return { mean: sum, deviation: Math.sqrt(squares) };
}

/** Features that tell of a grievance and of taking part, by their places in a context; −1: the model has them not. */
export type StandingColumns = {
  openComplaints: number;
  recentLate: number;
  lastRating: number;
  community: number;
};

export function standingColumns(featureNames: readonly string[]): StandingColumns {
  return {
    openComplaints: featureNames.indexOf('openComplaints'),
    recentLate: featureNames.indexOf('recentLateDeliveries'),
    lastRating: featureNames.indexOf('lastRating'),
    community: featureNames.indexOf('communityCount'),
  };
}

/** A rating below is a low one; 0 = none was given. */
const lowRating = 3;

/** An open complaint or a delivery that came late just now is half of the most there is, a low rating a third. */
export function standingOf(
  { openComplaints, recentLate, lastRating, community }: StandingColumns,
  contexts: ArrayLike<number>,
  at: number,
): Pick<KeepingInputs, 'grievance' | 'takesPart'> {
  const read = (column: number) => (column < 0 ? 0 : (contexts[at + column] ?? 0));
  const rating = read(lastRating);
  const low = rating > 0 && rating < lowRating ? 1 / 3 : 0;
  return {
    grievance: Math.min(1, 0.5 * read(openComplaints) + 0.5 * read(recentLate) + low),
    takesPart: read(community) > 0 ? 1 : 0,
  };
}
