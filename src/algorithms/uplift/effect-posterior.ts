/**
 * Effects of arms that are alike by their traits: a Gaussian hierarchy, solved exactly.
 *
 *   y = zᵀγ + ε                        without contact,    ε ~ N(0, 1) once rows are weighed by their precision
 *   y = zᵀ(γ + Σⱼ dₐⱼ θⱼ + δₐ) + ε     in arm a
 *
 * z are a customer's numbers, dₐ the arm's traits, of which the first is 1: θ₀ is what contact does in general. θⱼ and δₐ have
 * normal priors around 0, with a variance for each of z's numbers, γ a wide one. δ is eliminated arm by arm, so that a shop's
 * arms cost one system of (traits + 2) · |z| unknowns (Gelman et al. 2013, chapter 15).
 */
import { factorise, inverseOf, logDeterminant, solve } from './cholesky.ts';

/** What the rows of an arm (or those without contact) say: Σ wzzᵀ (size × size, both halves) and Σ wzy. */
export type Evidence = { gram: Float64Array; moment: Float64Array };

/** Variances of the priors, by z's numbers. */
export type EffectPrior = {
  baseline: Float64Array;
  /** Of θ₀. */
  common: Float64Array;
  /** Of the other θ. */
  trait: Float64Array;
  /** Of δ. */
  own: Float64Array;
};

export type ArmPosterior = {
  /** Of the effect's coefficients. */
  mean: Float64Array;
  /** Their covariance, size × size. */
  covariance: Float64Array;
};

export type EffectPosterior = {
  /** Of γ. */
  baseline: Float64Array;
  /** Of θ, one after another: mean and covariance. */
  shared: ArmPosterior;
  arms: ArmPosterior[];
  /** ln p(y) up to what no prior changes. */
  logEvidence: number;
};

type Eliminated = {
  /** L of G + Λ, where Λ is the precision of δ. */
  factor: Float64Array;
  /** (G + Λ)⁻¹G. */
  pull: Float64Array;
  /** (G + Λ)⁻¹ Σ wzy. */
  own: Float64Array;
};

/** `traits`: arms × traits, the first of each arm 1. */
export function solveEffects(
  size: number,
  none: Evidence,
  arms: readonly Evidence[],
  traits: readonly Float64Array[],
  prior: EffectPrior,
): EffectPosterior {
  const { core, eliminated, logEvidence, mean } = solveCore(size, none, arms, traits, prior);
  const blocks = core.width / size;
  const covariance = inverseOf(core.factor, core.width);
  const shared: ArmPosterior = {
    mean: mean.slice(size),
    covariance: blockOf(covariance, core.width, size, core.width),
  };
  return {
    baseline: mean.slice(0, size),
    shared,
    arms: arms.map((_, a) => armPosterior(size, blocks, traits[a]!, eliminated[a]!, mean, covariance)),
    logEvidence,
  };
}

/** ln p(y) up to what no prior changes. */
export function logEvidenceOf(
  size: number,
  none: Evidence,
  arms: readonly Evidence[],
  traits: readonly Float64Array[],
  prior: EffectPrior,
): number {
  return solveCore(size, none, arms, traits, prior).logEvidence;
}

/** An arm that has no rows, by its traits alone. */
export function unseenArm(
  size: number,
  shared: ArmPosterior,
  traits: Float64Array,
  own: Float64Array,
): ArmPosterior {
  const width = shared.mean.length;
  const mean = new Float64Array(size);
  const covariance = new Float64Array(size * size);
  for (let j = 0; j < traits.length; j++) {
    if (traits[j] === 0) continue;
    for (let p = 0; p < size; p++) {
      mean[p]! += traits[j]! * shared.mean[j * size + p]!;
      for (let k = 0; k < traits.length; k++)
        for (let q = 0; q < size; q++)
          covariance[p * size + q]! +=
            traits[j]! * traits[k]! * shared.covariance[(j * size + p) * width + k * size + q]!;
    }
  }
  for (let p = 0; p < size; p++) covariance[p * size + p]! += own[p]!;
  return { mean, covariance };
}

function solveCore(
  size: number,
  none: Evidence,
  arms: readonly Evidence[],
  traits: readonly Float64Array[],
  prior: EffectPrior,
) {
  const blocks = 1 + (traits[0]?.length ?? 1);
  const width = blocks * size;
  const matrix = new Float64Array(width * width);
  const mean = new Float64Array(width);
  const variances = [prior.baseline, prior.common, ...Array.from({ length: blocks - 2 }, () => prior.trait)];
  let logEvidence = 0;
  variances.forEach((variance, block) => {
    for (let p = 0; p < size; p++) {
      const at = block * size + p;
      matrix[at * width + at] = 1 / variance[p]!;
      logEvidence -= 0.5 * Math.log(variance[p]!);
    }
  });
  addBlock(matrix, width, size, 0, 0, 1, none.gram);
  for (let p = 0; p < size; p++) mean[p]! += none.moment[p]!;
  const eliminated = arms.map((evidence, a) => {
    const arm = eliminate(size, evidence, prior.own);
    const explained = new Float64Array(size * size);
    const moment = new Float64Array(size);
    for (let p = 0; p < size; p++) {
      moment[p] = evidence.moment[p]!;
      for (let k = 0; k < size; k++) {
        const g = evidence.gram[p * size + k]!;
        moment[p]! -= g * arm.own[k]!;
        for (let q = 0; q < size; q++) explained[p * size + q]! += g * arm.pull[k * size + q]!;
      }
      logEvidence += 0.5 * evidence.moment[p]! * arm.own[p]! - 0.5 * Math.log(prior.own[p]!);
    }
    logEvidence -= 0.5 * logDeterminant(arm.factor, size);
    const rest = evidence.gram.map((g, at) => g - explained[at]!);
    const scale = scalesOf(traits[a]!);
    for (let i = 0; i < blocks; i++) {
      if (scale[i] === 0) continue;
      for (let p = 0; p < size; p++) mean[i * size + p]! += scale[i]! * moment[p]!;
      for (let j = 0; j <= i; j++)
        if (scale[j] !== 0) addBlock(matrix, width, size, i, j, scale[i]! * scale[j]!, rest);
    }
    return arm;
  });
  factorise(matrix, width);
  const right = mean.slice();
  solve(matrix, width, mean);
  logEvidence -= 0.5 * logDeterminant(matrix, width);
  for (let at = 0; at < width; at++) logEvidence += 0.5 * right[at]! * mean[at]!;
  return { core: { factor: matrix, width }, eliminated, logEvidence, mean };
}

/** How an arm's coefficients are made of γ and θ. */
function scalesOf(traits: Float64Array): Float64Array {
  return Float64Array.of(1, ...traits);
}

function eliminate(size: number, { gram, moment }: Evidence, variance: Float64Array): Eliminated {
  const factor = gram.slice();
  for (let p = 0; p < size; p++) factor[p * size + p]! += 1 / variance[p]!;
  factorise(factor, size);
  const own = moment.slice();
  solve(factor, size, own);
  const pull = new Float64Array(size * size);
  const column = new Float64Array(size);
  for (let q = 0; q < size; q++) {
    for (let p = 0; p < size; p++) column[p] = gram[p * size + q]!;
    solve(factor, size, column);
    for (let p = 0; p < size; p++) pull[p * size + q] = column[p]!;
  }
  return { factor, pull, own };
}

/**
 * The effect β = Σ dⱼθⱼ + δ: with u = (γ, θ) and δ | u normal around own − pull · (the arm's sum of u), it is F u + own + η, where
 * F = (0, d) − pull · (1, d) and η ~ N(0, (G + Λ)⁻¹).
 */
function armPosterior(
  size: number,
  blocks: number,
  traits: Float64Array,
  { factor, pull, own }: Eliminated,
  core: Float64Array,
  covariance: Float64Array,
): ArmPosterior {
  const width = blocks * size;
  const scale = scalesOf(traits);
  const map = new Float64Array(size * width);
  for (let p = 0; p < size; p++)
    for (let block = 0; block < blocks; block++) {
      const weight = scale[block]!;
      if (weight === 0) continue;
      for (let q = 0; q < size; q++) map[p * width + block * size + q] = -weight * pull[p * size + q]!;
      if (block > 0) map[p * width + block * size + p]! += weight;
    }
  const mean = own.slice();
  const spread = inverseOf(factor, size);
  const row = new Float64Array(width);
  for (let p = 0; p < size; p++) {
    row.fill(0);
    for (let k = 0; k < width; k++) {
      const weight = map[p * width + k]!;
      if (weight === 0) continue;
      mean[p]! += weight * core[k]!;
      for (let q = 0; q < width; q++) row[q]! += weight * covariance[k * width + q]!;
    }
    for (let q = 0; q < size; q++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += row[k]! * map[q * width + k]!;
      spread[p * size + q]! += sum;
    }
  }
  return { mean, covariance: spread };
}

/** Adds `scale` · block (size × size) at block row i and column j. */
function addBlock(
  matrix: Float64Array,
  width: number,
  size: number,
  i: number,
  j: number,
  scale: number,
  block: Float64Array,
): void {
  for (let p = 0; p < size; p++)
    for (let q = 0; q < size; q++)
      matrix[(i * size + p) * width + j * size + q]! += scale * block[p * size + q]!;
}

/** Rows and columns `from` (inclusive) to `to` (exclusive). */
function blockOf(matrix: Float64Array, width: number, from: number, to: number): Float64Array {
  const size = to - from;
  const block = new Float64Array(size * size);
  for (let p = 0; p < size; p++)
    block.set(matrix.subarray((from + p) * width + from, (from + p) * width + to), p * size);
  return block;
}
