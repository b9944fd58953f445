/** Learns an `UpliftModel` from a log. */
import { z } from 'zod';
import { meanOf } from '../off-policy/estimate.ts';
import type { Rng } from '../rng.ts';
import { axesOf, fitContextBasis, widestOf } from './context-basis.ts';
import {
  type ArmPosterior,
  type EffectPrior,
  type Evidence,
  logEvidenceOf,
  solveEffects,
} from './effect-posterior.ts';
import { LEARNED, likeliestScales, toPrior } from './likeliest-scales.ts';
import { crossFitResponse, crossFitTrees, turnedBack } from './response-model.ts';
import { armShares, armWeights, cutRewards, precisions, weightedMean } from './row-weights.ts';
import { customerOf, noContact, type UpliftArm, type UpliftLog } from './uplift-log.ts';
import {
  armOf,
  axesFrom,
  numbersOf,
  traitNames,
  traitsOf,
  UPLIFT_LEARNERS,
  type UpliftFindings,
  type UpliftLearner,
  type UpliftModel,
} from './uplift-model.ts';

export const UpliftOptions = z.strictObject({
  /** Axes that contexts are cut down to, at most. */
  axes: z.int().min(1).max(256).default(32),
  /** As many or more, of the line that foretells what a customer brings anyway. */
  responseAxes: z.int().min(1).max(256).default(32),
  /** Those whose effects are compared; `linear` must be among them. */
  learners: z.array(z.enum(UPLIFT_LEARNERS)).default([...UPLIFT_LEARNERS]),
  /** What a customer brings anyway is foretold by a line, or by trees where these do it better. */
  response: z.enum(['better', 'linear']).default('better'),
  /** Parts of the customers that nuisances are cross-fitted, and learners compared, on. */
  parts: z.int().min(2).max(20).default(4),
  /** Share of the rewards at either end that are cut to the value there: a few large orders would drown the rest. */
  cutShare: z.number().min(0).max(0.1).default(0.0005),
  /**
   * Standard deviation of what contact does on average, beside that of what is left of the reward, before anything is known. The default
   * lets it free.
   */
  averageScale: z.number().positive().default(0.5),
  /** That of all other effects, at most. */
  scaleMax: z.number().positive().default(0.128),
  /**
   * What is taken for likely before anything is known: 0, that an effect is the same for everybody; 1, that it is so much of what the
   * customer brings anyway. Half-way loses little where either is wrong, and rare outcomes never tell which is right.
   */
  proportionality: z.number().min(0).max(1).default(0.5),
  /**
   * Effects are drawn together by how much of them comes true: the slope of what is left of the reward on what is foretold of
   * customers that were not learnt from, between 0 and 1.
   */
  calibrated: z.boolean().default(false),
  /** Weight of one row beside the mean, at most. */
  weightMax: z.number().positive().default(20),
});
export type UpliftOptions = z.output<typeof UpliftOptions>;

const usualLearner: UpliftLearner = 'linear';
/** Standard errors by which a learner must be better than the usual one. */
const surely = 2;

/**
 * RangeError where a value is not finite or a probability is outside (0, 1], and where there are no rows without contact, or none with.
 * `onProgress` is told the share that is done.
 */
export async function fitUplift(
  log: UpliftLog,
  arms: readonly UpliftArm[],
  options: UpliftOptions,
  rng: Rng,
  onProgress: (share: number) => void = () => {},
): Promise<UpliftModel> {
  check(log, arms);
  const wide = widestOf(log.basis ?? fitContextBasis(log, axesOfAll(options)), axesOfAll(options));
  const basis = widestOf(wide, options.axes);
  const axes = axesOf(log.contexts, log.rows, wide);
  const { part, parts } = partsOf(log, options.parts, rng);
  const reward = cutRewards(log.reward, options.cutShare);
  const weight = armWeights(log, arms.length, options.weightMax);
  onProgress(0.05);
  const response = await crossFitResponse({
    rows: log.rows,
    columns: log.columns,
    contexts: log.contexts,
    axes,
    size: wide.size,
    reward,
    weight,
    part,
    parts,
    trees: options.response === 'better',
  });
  onProgress(0.7);
  const { expected } = response;
  const responseMean = weightedMean(expected, weight);
  const responseSpread = rootMeanSquare(
    expected.map((m) => m - responseMean),
    weight,
  );
  const share = armShares(log, arms.length, weight);
  const residual = reward.map((value, row) => value - expected[row]! - assumedBeside(log, row, share));
  const spread = rootMeanSquare(residual, weight);
  const precision = precisions(residual, expected, weight);
  const contact = options.learners.includes('trees')
    ? await contactTrees(log, part, parts, residual, weight, share)
    : undefined;
  onProgress(0.75);
  const fits = log.fit !== undefined;
  const size = numbersOf({ basis, fits });
  const proportion =
    responseMean > 0 ? options.proportionality * Math.min(1, responseSpread / responseMean) : 0;
  const writeNumbers: WriteNumbers = (row, arm, out) => {
    out[1] = (expected[row]! - responseMean) / responseSpread;
    out[0] = 1 + proportion * out[1]!;
    out[2] = contact?.number[row] ?? 0;
    for (let k = 0; k < basis.size; k++) out[axesFrom + k] = axes[row * wide.size + k]!;
    if (log.fit !== undefined) out[size - 1] = arm === noContact ? 0 : log.fit(row, arm);
  };
  const evidence = gather(log, arms.length, size, parts, part, precision, residual, writeNumbers);
  const names = traitNames(arms);
  const traits = arms.map((arm) => traitsOf(names, arm));
  const all = evidence.without();
  onProgress(0.8);

  const priorOf = (learner: UpliftLearner): EffectPrior => {
    const learned = LEARNED[learner].filter((group) => fits || group !== 'fit');
    const chosen = likeliestScales(learned, options.scaleMax, (tried) => {
      const prior = toPrior(tried, learned, size, fits, spread, options.averageScale);
      return logEvidenceOf(size, all.none, all.arms, traits, prior);
    });
    return toPrior(chosen, learned, size, fits, spread, options.averageScale);
  };
  const learners = UPLIFT_LEARNERS.filter(
    (learner) => learner === usualLearner || options.learners.includes(learner),
  );
  const priors = learners.map(priorOf);
  onProgress(0.9);
  const rows = {
    part,
    parts,
    size,
    weight,
    precision,
    residual,
    spread,
    share,
    traits,
    evidence,
    writeNumbers,
  };
  const foretold = priors.map((prior) => foretellUnseen(log, prior, rows));
  const { learner, loss } = chooseLearner(
    learners,
    foretold.map((one) => one.loss),
    log.customer,
  );
  const prior = priors[learners.indexOf(learner)]!;
  const posterior = solveEffects(size, all.none, all.arms, traits, prior);
  const slope = options.calibrated ? slopeOf(foretold[learners.indexOf(learner)]!) : 1;
  onProgress(1);
  return {
    columns: log.columns,
    fits,
    basis,
    response: response.model.kind === 'linear' ? turnedBack(response.model, wide) : response.model,
    responseMean,
    responseSpread,
    proportion,
    contact: learner === 'trees' ? await contact?.fit() : undefined,
    baseline: posterior.baseline,
    arms: arms.map(({ id }, a) => armOf(id, scaled(posterior.arms[a]!, slope))),
    traits: names,
    shared: scaled(posterior.shared, slope),
    own: prior.own,
    learned: { rows: log.rows, response: response.model.kind, learner, loss, slope },
  };
}

/** What effects are learnt from, row by row. */
type EffectRows = {
  part: Uint8Array;
  parts: number;
  /** Numbers of a row, by which effects differ. */
  size: number;
  weight: Float64Array;
  precision: Float64Array;
  residual: Float64Array;
  /** Of the residuals. */
  spread: number;
  /** By arm: of the decisions. */
  share: Float64Array;
  traits: Float64Array[];
  evidence: Sums;
  writeNumbers: WriteNumbers;
};

/**
 * What effects by this prior foretell of rows of each part, learnt from the others: by row the loss, in squares of the spread; and
 * what the slope of what comes true is reckoned from.
 */
function foretellUnseen(log: UpliftLog, prior: EffectPrior, rows: EffectRows) {
  const { part, parts, size, weight, precision, residual, spread, share, traits, evidence } = rows;
  const loss = new Float64Array(log.rows);
  let moment = 0;
  let squares = 0;
  const z = new Float64Array(size);
  for (let p = 0; p < parts; p++) {
    const others = evidence.without(p);
    const { arms: effects } = solveEffects(size, others.none, others.arms, traits, prior);
    for (let row = 0; row < log.rows; row++) {
      if (part[row] !== p) continue;
      rows.writeNumbers(row, noContact, z);
      let told = 0;
      for (let a = 0; a < effects.length; a++) {
        if (log.fit !== undefined) z[size - 1] = log.fit(row, a);
        let effect = 0;
        for (let k = 0; k < size; k++) effect += effects[a]!.mean[k]! * z[k]!;
        told += ((log.arm[row] === a ? 1 : 0) - share[a]!) * effect;
      }
      loss[row] = (weight[row]! * (residual[row]! - told) ** 2) / spread ** 2;
      moment += precision[row]! * told * residual[row]!;
      squares += precision[row]! * told * told;
    }
  }
  return { loss, moment, squares };
}

/** So many of a context basis are needed at most. */
export function axesOfAll({ axes, responseAxes }: UpliftOptions): number {
  return Math.max(axes, responseAxes);
}

/** 1 where all are 0. */
function rootMeanSquare(values: Float64Array, weight: Float64Array): number {
  const squares = values.map((value) => value ** 2);
  return Math.sqrt(weightedMean(squares, weight)) || 1;
}

/** 0 where nothing was foretold. */
function slopeOf({ moment, squares }: { moment: number; squares: number }): number {
  return squares > 0 ? Math.min(1, Math.max(0, moment / squares)) : 0;
}

/** Not known any better for being smaller. */
function scaled({ mean, covariance }: ArmPosterior, slope: number): ArmPosterior {
  return { mean: mean.map((value) => slope * value), covariance };
}

/**
 * `linear` already shrinks as much as the log asks for, and is the cheapest to ask: another takes its place only where its loss on
 * customers that neither has seen is lower by more than two standard errors: with one, chance alone would often choose.
 */
function chooseLearner(
  learners: readonly UpliftLearner[],
  losses: readonly Float64Array[],
  customer: Int32Array | undefined,
) {
  const usual = learners.indexOf(usualLearner);
  let chosen = usual;
  let lowest = 0;
  const less = losses.map((loss, l) => {
    const difference = meanOf(
      loss.map((value, row) => value - losses[usual]![row]!),
      customer,
    );
    if (difference.value + surely * difference.standardError < 0 && difference.value < lowest) {
      lowest = difference.value;
      chosen = l;
    }
    return difference.value;
  });
  const loss = Object.fromEntries(
    learners.map((learner, l) => [learner, less[l]! - less[0]!]),
  ) as UpliftFindings['loss'];
  return { learner: learners[chosen]!, loss };
}

/**
 * Boosted trees of what contact does in general, whichever the arm: on the residual over (T − e), where T is 1 with contact and
 * e its share, weighed by (T − e)² (the R-learner of Nie and Wager 2021). `number`: by row, at mean 0 and deviation 1, by trees
 * that have not seen its part; 0 throughout where trees find nothing.
 */
async function contactTrees(
  log: UpliftLog,
  part: Uint8Array,
  parts: number,
  residual: Float64Array,
  weight: Float64Array,
  share: Float64Array,
) {
  const e = share.reduce((sum, value) => sum + value, 0);
  const lever = Float64Array.from(log.arm, (arm) => (arm === noContact ? 0 : 1) - e);
  const { rows, columns, contexts } = log;
  const crossFit = await crossFitTrees({
    ...{ rows, columns, contexts, part, parts },
    reward: residual.map((value, row) => value / lever[row]!),
    weight: weight.map((value, row) => value * lever[row]! ** 2),
  });
  const { expected } = crossFit;
  const mean = weightedMean(expected, weight);
  const spread = Math.sqrt(
    weightedMean(
      expected.map((value) => (value - mean) ** 2),
      weight,
    ),
  );
  const found = crossFit.rounds > 0 && spread > 0;
  return {
    number: expected.map((value) => (found ? (value - mean) / spread : 0)),
    fit: async () => (found ? { trees: await crossFit.all(), mean, spread } : undefined),
  };
}

type WriteNumbers = (row: number, arm: number, out: Float64Array) => void;

/** Of rows, by part and arm; `without(p)` adds up all parts but p, `without()` all. */
type Sums = { without: (part?: number) => { none: Evidence; arms: Evidence[] } };

function gather(
  log: UpliftLog,
  arms: number,
  size: number,
  parts: number,
  part: Uint8Array,
  precision: Float64Array,
  residual: Float64Array,
  writeNumbers: WriteNumbers,
): Sums {
  const empty = (): Evidence => ({
    gram: new Float64Array(size * size),
    moment: new Float64Array(size),
  });
  const sums = Array.from({ length: parts }, () => Array.from({ length: arms + 1 }, empty));
  const z = new Float64Array(size);
  for (let row = 0; row < log.rows; row++) {
    writeNumbers(row, log.arm[row]!, z);
    const { gram, moment } = sums[part[row]!]![log.arm[row]! + 1]!;
    for (let i = 0; i < size; i++) {
      const x = precision[row]! * z[i]!;
      moment[i]! += x * residual[row]!;
      for (let j = 0; j <= i; j++) gram[i * size + j]! += x * z[j]!;
    }
  }
  for (const ofPart of sums)
    for (const { gram } of ofPart)
      for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) gram[j * size + i] = gram[i * size + j]!;
  return {
    without: (left) => {
      const [none = empty(), ...others] = Array.from({ length: arms + 1 }, (_, a) => {
        const total = empty();
        sums.forEach((ofPart, p) => {
          if (p === left) return;
          ofPart[a]!.gram.forEach((value, at) => {
            total.gram[at]! += value;
          });
          ofPart[a]!.moment.forEach((value, at) => {
            total.moment[at]! += value;
          });
        });
        return total;
      });
      return { none, arms: others };
    },
  };
}

/** What the row's arm is assumed to do beyond what the arms of the log do in the mean, which the expected response has in it. */
function assumedBeside({ assumed, arm }: UpliftLog, row: number, share: Float64Array): number {
  if (assumed === undefined) return 0;
  let beside = arm[row] === noContact ? 0 : assumed(row, arm[row]!);
  for (let a = 0; a < share.length; a++) beside -= share[a]! * assumed(row, a);
  return beside;
}

/** All decisions on a customer in the same part. */
function partsOf(log: UpliftLog, parts: number, rng: Rng): { part: Uint8Array; parts: number } {
  const salt = rng.nextInt(2 ** 31);
  const part = new Uint8Array(log.rows);
  for (let row = 0; row < log.rows; row++) {
    let hash = Math.imul(customerOf(log, row) ^ salt, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    part[row] = ((hash ^ (hash >>> 13)) >>> 0) % parts;
  }
  return { part, parts };
}

function check(log: UpliftLog, arms: readonly UpliftArm[]): void {
  const fault = (text: string) => new RangeError(`uplift: ${text}`);
  if (log.contexts.length !== log.rows * log.columns) throw fault('contexts are not rows × columns');
  if (!log.contexts.every(Number.isFinite)) throw fault('a context is not finite');
  if (!log.reward.every(Number.isFinite)) throw fault('a reward is not finite');
  if (!log.propensity.every((p) => p > 0 && p <= 1)) throw fault('a propensity is outside (0, 1]');
  if (!log.arm.some((arm) => arm === noContact)) throw fault('nobody was left alone');
  if (!log.arm.some((arm) => arm !== noContact)) throw fault('nobody was contacted');
  if (log.arm.some((arm) => arm < noContact || arm >= arms.length))
    throw fault('an arm is not among the arms');
}
