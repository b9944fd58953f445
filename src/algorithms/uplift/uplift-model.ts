/**
 * The effect of each arm against no contact, for a customer, with its uncertainty.
 *
 * How it learns. What everybody brings anyway is taken away first: m(x), the mean reward over the logged arms, cross-fitted on
 * other customers (Robinson's residual, as in the R-learner of Nie and Wager 2021, and Kennedy 2020). Rows are weighed by q/π₀,
 * their arm's share beside its logged probability, so that arms look as if chosen by lot. What is left is a hierarchy of linear
 * effects (effect-posterior.ts) in the average effect, the expected response and the context's axes (and, where that foretells
 * better, boosted trees), whose prior variances are those under which the log is likeliest (empirical Bayes): where effects
 * cannot be told apart from noise, everybody has the average effect; where they go with the response, they rank as it does.
 *
 * Prediction is linear but for m(x) and those trees: one basis a customer, one dot product an arm.
 */

import { type BoostedTrees, scoreBoosted } from '../boosted-trees/boosted-trees.ts';
import { factorise } from './cholesky.ts';
import { type ContextBasis, writeAxes } from './context-basis.ts';
import { type ArmPosterior, unseenArm } from './effect-posterior.ts';
import { type ResponseModel, responseOf } from './response-model.ts';
import type { UpliftArm } from './uplift-log.ts';

/** One arm, ready to be asked. */
export type ArmEffect = {
  id: string;
  /** Coefficients of a customer's numbers. */
  mean: Float64Array;
  /** Σ = LLᵀ of their uncertainty: L, lower half, row by row. */
  factor: Float64Array;
};

export type UpliftModel = {
  /** Columns of a context. */
  columns: number;
  /** Whether effects also go by how well the arm suits the customer (`UpliftLog.fit`). */
  fits: boolean;
  basis: ContextBasis;
  response: ResponseModel;
  /** Of the expected response, over the log. */
  responseMean: number;
  responseSpread: number;
  /** How much an average effect grows with the expected response, by its spread. */
  proportion: number;
  /** What contact does in general, by trees, and its mean and spread over the log; undefined where trees add nothing. */
  contact: { trees: BoostedTrees; mean: number; spread: number } | undefined;
  /** Without contact: what comes beside the expected response. */
  baseline: Float64Array;
  arms: ArmEffect[];
  /** Names of the arms' traits; the first, '', is that of all. */
  traits: string[];
  /** Coefficients of the traits, for arms that the log has not. */
  shared: ArmPosterior;
  /** Variances of what an arm has of its own. */
  own: Float64Array;
  learned: UpliftFindings;
};

/** How the fit went, for the manifest. */
export type UpliftFindings = {
  rows: number;
  /** Kind of the model of responses. */
  response: ResponseModel['kind'];
  /**
   * Of the effects. `average`: the same for everybody, or in proportion to the response; `response`: linear in the response; `linear`:
   * in the axes too; `trees`: in trees of what contact does in general too.
   */
  learner: UpliftLearner;
  /** Lower is better: cross-validated R-loss of each learner less that of `average`, a row, beside the variance of the residual. */
  loss: Partial<Record<UpliftLearner, number>>;
  /** By which effects were multiplied: how much of them comes true of customers that were not learnt from. */
  slope: number;
};

export const UPLIFT_LEARNERS = ['average', 'response', 'linear', 'trees'] as const;
export type UpliftLearner = (typeof UPLIFT_LEARNERS)[number];

/** Among a customer's numbers, where the context's axes begin. */
export const axesFrom = 3;

/** A customer as arms see them; made once, asked for each arm. */
export type UpliftSubject = {
  /**
   * 1 (and the proportion of the next), the expected response and the trees at their scales, the context's axes, and the arm's
   * fit where there is one.
   */
  numbers: Float64Array;
  /** Expected reward without contact. */
  untouched: number;
};

export type UpliftReader = (contexts: Float32Array, at: number) => UpliftSubject;

/** Reads contexts; what it answers is overwritten by the next one. */
export function createUpliftReader(model: UpliftModel): UpliftReader {
  const { basis, baseline, contact } = model;
  const scratch = new Float64Array(basis.features);
  const axes = new Float64Array(basis.size);
  const subject = { numbers: new Float64Array(numbersOf(model)), untouched: 0 };
  return (contexts, at) => {
    writeAxes(basis, contexts, at, scratch, axes);
    const expected = responseOf(model.response, contexts, at, scratch);
    const { numbers } = subject;
    numbers[1] = (expected - model.responseMean) / model.responseSpread;
    numbers[0] = 1 + model.proportion * numbers[1]!;
    if (contact !== undefined)
      numbers[2] = (scoreBoosted(contact.trees, contexts, at) - contact.mean) / contact.spread;
    numbers.set(axes, axesFrom);
    if (model.fits) numbers[numbers.length - 1] = 0;
    subject.untouched = expected + dot(baseline, numbers);
    return subject;
  };
}

/** How many numbers an effect is linear in. */
export function numbersOf({ basis, fits }: { basis: Pick<ContextBasis, 'size'>; fits: boolean }): number {
  return basis.size + axesFrom + (fits ? 1 : 0);
}

/** Before an arm is asked, of a model that goes by it: how well it suits this customer. 0 until it is told. */
export function tellFit({ numbers }: UpliftSubject, fit: number): void {
  numbers[numbers.length - 1] = fit;
}

/** Mean of the arm's effect on the customer: reward if contacted less reward if not, in the log's unit. */
export function effectOf(arm: ArmEffect, { numbers }: UpliftSubject): number {
  return dot(arm.mean, numbers);
}

/** Standard deviation of what is not known of that mean. */
export function effectSpread(arm: ArmEffect, { numbers }: UpliftSubject): number {
  const { factor } = arm;
  const size = numbers.length;
  let squares = 0;
  for (let k = 0; k < size; k++) {
    let sum = 0;
    for (let i = k; i < size; i++) sum += factor[i * size + k]! * numbers[i]!;
    squares += sum * sum;
  }
  return Math.sqrt(squares);
}

/** An arm that the log has, else one as its traits make expect; traits that no arm of the log had say nothing. */
export function armEffect(model: UpliftModel, arm: UpliftArm): ArmEffect {
  const known = model.arms.find(({ id }) => id === arm.id);
  if (known !== undefined) return known;
  return armOf(arm.id, unseenArm(model.own.length, model.shared, traitsOf(model.traits, arm), model.own));
}

/** The traits of all arms, in the order in which they come; the first is that of all. */
export function traitNames(arms: readonly UpliftArm[]): string[] {
  return ['', ...new Set(arms.flatMap(({ traits }) => Object.keys(traits)))];
}

/** An arm's traits in the model's order; the one of all is 1. */
export function traitsOf(names: readonly string[], { traits }: Pick<UpliftArm, 'traits'>): Float64Array {
  return Float64Array.from(names, (name, j) => (j === 0 ? 1 : (traits[name] ?? 0)));
}

export function armOf(id: string, { mean, covariance }: ArmPosterior): ArmEffect {
  const factor = covariance.slice();
  factorise(factor, mean.length);
  return { id, mean, factor };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < b.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
