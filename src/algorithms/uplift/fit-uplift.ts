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
import { crossFitResponse, crossFitTrees, turnedBack } from './response-model.ts';
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
   * Effects are drawn together by how much of them comes true: the slope of what is left of the reward on what is foretold of customers that
   * were not learnt from, between 0 and 1.
   */
  calibrated: z.boolean().default(false),
  /** Weight of one row beside the mean, at most. */
  weightMax: z.number().positive().default(20),
});
export type UpliftOptions = z.output<typeof UpliftOptions>;

/** Standard deviations of effects that are tried, beside that of what is left of the reward. */
const scales = [1e-4, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128];
const usualLearner: UpliftLearner = 'linear';
/** Standard errors by which a learner must be better than the usual one. */
const surely = 2;
/** Bands of the expected response in which the variance of the rest is measured. */
const bands = 10;

/** What is learned about: each has a prior variance for what contact does in general, and one for what an arm has of its own. */
const GROUPS = ['response', 'trees', 'axes', 'fit'] as const;
type Group = (typeof GROUPS)[number];
type Scales = { ownAverage: number; common: Record<Group, number>; own: Record<Group, number> };

const LEARNED: Record<UpliftLearner, readonly Group[]> = {
  average: [],
  response: ['response'],
  linear: ['response', 'axes', 'fit'],
  trees: GROUPS,
};

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
  const responseSpread =
    Math.sqrt(
      weightedMean(
        expected.map((m) => (m - responseMean) ** 2),
        weight,
      ),
    ) || 1;
  const share = armShares(log, arms.length, weight);
  const residual = reward.map((value, row) => value - expected[row]! - assumedBeside(log, row, share));
  const spread =
    Math.sqrt(
      weightedMean(
        residual.map((value) => value ** 2),
        weight,
      ),
    ) || 1;
  const precision = precisions(residual, expected, weight);
  const contact = options.learners.includes('trees')
    ? await contactTrees(log, part, parts, residual, weight, share)
    : undefined;
  onProgress(0.75);
  const fits = log.fit !== undefined;
  const size = numbersOf({ basis, fits });
  const proportion =
    responseMean > 0 ? options.proportionality * Math.min(1, responseSpread / responseMean) : 0;
  const writeNumbers = (row: number, arm: number, out: Float64Array) => {
    out[1] = (expected[row]! - responseMean) / responseSpread;
    out[0] = 1 + proportion * out[1]!;
    out[2] = contact?.number[row] ?? 0;
    for (let k = 0; k < basis.size; k++) out[axesFrom + k] = axes[row * wide.size + k]!;
    if (log.fit !== undefined) out[size - 1] = arm === noContact ? 0 : log.fit(row, arm);
  };
  const evidence = gather(log, arms.length, size, parts, part, precision, residual, writeNumbers);
  const names = traitNames(arms);
  const traits = arms.map((arm) => traitsOf(names, arm));
  const all = evidence.without(-1);
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
  const foretold = priors.map(() => ({ moment: 0, squares: 0 }));
  const losses = priors.map((prior, l) => {
    const loss = new Float64Array(log.rows);
    const agreement = foretold[l]!;
    const z = new Float64Array(size);
    for (let p = 0; p < parts; p++) {
      const others = evidence.without(p);
      const { arms: effects } = solveEffects(size, others.none, others.arms, traits, prior);
      for (let row = 0; row < log.rows; row++) {
        if (part[row] !== p) continue;
        writeNumbers(row, noContact, z);
        let told = 0;
        for (let a = 0; a < effects.length; a++) {
          if (log.fit !== undefined) z[size - 1] = log.fit(row, a);
          let effect = 0;
          for (let k = 0; k < size; k++) effect += effects[a]!.mean[k]! * z[k]!;
          told += ((log.arm[row] === a ? 1 : 0) - share[a]!) * effect;
        }
        loss[row] = (weight[row]! * (residual[row]! - told) ** 2) / spread ** 2;
        agreement.moment += precision[row]! * told * residual[row]!;
        agreement.squares += precision[row]! * told * told;
      }
    }
    return loss;
  });
  const { learner, loss } = chooseLearner(learners, losses, log.customer);
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

/** So many of a context basis are needed at most. */
export function axesOfAll({ axes, responseAxes }: UpliftOptions): number {
  return Math.max(axes, responseAxes);
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
 * Boosted trees of what contact does in general, whichever the arm: on the residual over (T − e), where T is 1 with contact and e its share,
 * weighed by (T − e)² (the R-learner of Nie and Wager 2021). `number`: by row, at mean 0 and deviation 1, by trees that have not seen
 * its part; 0 throughout where trees find nothing.
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

function toPrior(
  tried: Scales,
  learned: readonly Group[],
  size: number,
  fits: boolean,
  spread: number,
  averageScale: number,
): EffectPrior {
  const fitAt = fits ? size - 1 : -1;
  const variances = (average: number, of: Record<Group, number>) =>
    Float64Array.from({ length: size }, (_, k) => {
      const group: Group = k === 1 ? 'response' : k === 2 ? 'trees' : k === fitAt ? 'fit' : 'axes';
      const scale = k === 0 ? average : learned.includes(group) ? of[group] : scales[0]!;
      return (scale * spread) ** 2;
    });
  const own = variances(tried.ownAverage, tried.own);
  return {
    // Wide: what is left of the response without contact is no effect, and must not be taken for one. Nothing fits there.
    baseline: Float64Array.from({ length: size }, (_, k) => ((k === fitAt ? scales[0]! : 1) * spread) ** 2),
    common: variances(averageScale, tried.common),
    trait: own,
    own,
  };
}

/** Coordinate ascent, over all that the learner learns: each scale goes up or down by a step for as long as that is likelier. */
function likeliestScales(
  learned: readonly Group[],
  scaleMax: number,
  logEvidence: (tried: Scales) => number,
): Scales {
  const allowed = scales.filter((scale) => scale <= scaleMax);
  const start = (scale: number) => allowed.findLast((other) => other <= scale) ?? scales[0]!;
  let best: Scales = {
    ownAverage: start(0.064),
    common: { response: start(0.004), trees: start(0.004), axes: start(0.004), fit: start(0.004) },
    own: { response: start(0.004), trees: start(0.004), axes: start(0.004), fit: start(0.004) },
  };
  let highest = logEvidence(best);
  const coordinates: { read: (from: Scales) => number; written: (scale: number) => Scales }[] = [
    { read: ({ ownAverage }) => ownAverage, written: (scale) => ({ ...best, ownAverage: scale }) },
    ...learned.flatMap((group) => [
      {
        read: ({ common }: Scales) => common[group],
        written: (scale: number) => ({ ...best, common: { ...best.common, [group]: scale } }),
      },
      {
        read: ({ own }: Scales) => own[group],
        written: (scale: number) => ({ ...best, own: { ...best.own, [group]: scale } }),
      },
    ]),
  ];
  for (let round = 0; round < 5; round++) {
    const before = highest;
    for (const { read, written } of coordinates)
      for (const direction of [1, -1]) {
        const from = read(best);
        for (;;) {
          const next = allowed[allowed.indexOf(read(best)) + direction];
          if (next === undefined) break;
          const tried = written(next);
          const reached = logEvidence(tried);
          if (!(reached > highest)) break;
          highest = reached;
          best = tried;
        }
        // What has gone up need not be tried downwards.
        if (read(best) !== from) break;
      }
    if (highest - before < 0.1) break;
  }
  return best;
}

/** Sums of the rows by part and arm; `without(p)` adds up all parts but p. */
function gather(
  log: UpliftLog,
  arms: number,
  size: number,
  parts: number,
  part: Uint8Array,
  precision: Float64Array,
  residual: Float64Array,
  writeNumbers: (row: number, arm: number, out: Float64Array) => void,
) {
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
    without: (left: number): { none: Evidence; arms: Evidence[] } => {
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

/**
 * By row: its weight over the variance of what is left of the reward at its expected response. Rewards of customers who bring more vary
 * more; as if they varied alike, that would be taken for effects. Scaled by Kish's Σw/Σw², so that unequal weights do not make the
 * log look larger than it is.
 */
function precisions(residual: Float64Array, expected: Float64Array, weight: Float64Array): Float64Array {
  const order = Int32Array.from(expected, (_m, row) => row).sort((a, b) => expected[a]! - expected[b]!);
  const variance = new Float64Array(bands);
  let squares = 0;
  let total = 0;
  let totalSquares = 0;
  for (let row = 0; row < weight.length; row++) {
    squares += weight[row]! * residual[row]! ** 2;
    total += weight[row]!;
    totalSquares += weight[row]! ** 2;
  }
  const mean = squares / total || 1;
  const edges = Array.from({ length: bands + 1 }, (_, b) => Math.round((b * order.length) / bands));
  for (let b = 0; b < bands; b++) {
    let inBand = 0;
    let ofBand = 0;
    for (let p = edges[b]!; p < edges[b + 1]!; p++) {
      inBand += weight[order[p]!]!;
      ofBand += weight[order[p]!]! * residual[order[p]!]! ** 2;
    }
    // Drawn to the mean by a few rows, and bounded: a band in which nothing happened yet is not known for sure.
    variance[b] = Math.max(mean / 5, (ofBand + 20 * mean) / (inBand + 20));
  }
  const kish = total / totalSquares;
  const precision = new Float64Array(weight.length);
  for (let b = 0; b < bands; b++)
    for (let p = edges[b]!; p < edges[b + 1]!; p++)
      precision[order[p]!] = (kish * weight[order[p]!]!) / variance[b]!;
  return precision;
}

/** What the row's arm is assumed to do beyond what the arms of the log do in the mean, which the expected response has in it. */
function assumedBeside({ assumed, arm }: UpliftLog, row: number, share: Float64Array): number {
  if (assumed === undefined) return 0;
  let beside = arm[row] === noContact ? 0 : assumed(row, arm[row]!);
  for (let a = 0; a < share.length; a++) beside -= share[a]! * assumed(row, a);
  return beside;
}

/** q/π₀: the arm's share of the log over the probability that it had there, cut off, at a mean of 1. */
export function armWeights(
  log: Pick<UpliftLog, 'rows' | 'arm' | 'propensity'>,
  arms: number,
  weightMax: number,
): Float64Array {
  const share = armShares(log, arms, new Float64Array(log.rows).fill(1));
  const ofNone = 1 - share.reduce((sum, value) => sum + value, 0);
  const weight = log.propensity.map((propensity, row) => {
    const arm = log.arm[row]!;
    return (arm === noContact ? ofNone : share[arm]!) / propensity;
  });
  const mean = weight.reduce((sum, value) => sum + value, 0) / log.rows;
  const cut = weight.map((value) => Math.min(weightMax, value / mean));
  const cutMean = cut.reduce((sum, value) => sum + value, 0) / log.rows;
  return cut.map((value) => value / cutMean);
}

function armShares(log: Pick<UpliftLog, 'rows' | 'arm'>, arms: number, weight: Float64Array): Float64Array {
  const share = new Float64Array(arms);
  let total = 0;
  for (let row = 0; row < log.rows; row++) {
    total += weight[row]!;
    const arm = log.arm[row]!;
    if (arm !== noContact) share[arm]! += weight[row]!;
  }
  return share.map((value) => value / total);
}

function cutRewards(reward: Float64Array, share: number): Float64Array {
  const sorted = reward.slice().sort();
  const last = sorted.length - 1;
  const low = sorted[Math.floor(share * last)]!;
  const high = sorted[Math.ceil((1 - share) * last)]!;
  return reward.map((value) => Math.min(high, Math.max(low, value)));
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

function weightedMean(values: Float64Array, weight: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    sum += weight[row]! * values[row]!;
    total += weight[row]!;
  }
  return sum / total;
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
