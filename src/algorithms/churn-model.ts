/**
 * A customer's churn risk: the chance of no purchase within a horizon from now. Trained by `train/churn`; here is the
 * arithmetic that a request needs, in typed arrays:
 *
 *   scaled_j = clip((input_j − mean_j) / spread_j, ±4)                      inputs: `churn-inputs.ts`
 *   z        = Σ prior_m · logit_m + wide·scaled + Σ_k mlp_k(scaled)        m: MBG/NBD, Pareto/NBD
 *   risk     = sigmoid(slope · z + intercept)
 */
import type { PlattCalibration } from './calibration.ts';
import { createInputWriter, type InputWriter, type PurchaseParameters } from './churn-inputs.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { logit, sigmoid } from './logistic-regression.ts';
import { type DenseLayer, mlpLogit } from './mlp.ts';

/** What the logit begins at: weights of the two probability models' own logits of no purchase. */
export type Prior = { mbgNbd: number; paretoNbd: number };

export type ChurnModel = {
  /** Outputs of the feature registry, in the order of the vector. */
  featureNames: readonly string[];
  /** In days. */
  purchases: PurchaseParameters;
  prior: Prior;
  /** Of each input over the customers trained on. An input that never varied has an infinite spread: nothing is known of it. */
  mean: Float32Array;
  spread: Float32Array;
  /** One layer, all inputs to one output. */
  wide: DenseLayer;
  /** Networks whose outputs are added up. */
  members: readonly (readonly DenseLayer[])[];
  calibration: PlattCalibration;
  /** The shop's own horizon, and all that risks are told for (ascending, with it). */
  horizonDays: number;
  horizons: readonly number[];
  gone: LongGone | undefined;
};

/**
 * Customers whose last order lies more than `afterDays` back were not learnt from: a shop's log is full of them, and there is
 * nothing to tell apart. Their risk is the share of such customers in the log who did not buy within the horizon either.
 */
export type LongGone = { afterDays: number; risk: number };

const clipAt = 4;

/** What of a model makes inputs out of a feature vector. */
export type ChurnScaling = Pick<ChurnModel, 'mean' | 'spread'>;

/** Scales a row of inputs in place. What is unknown (NaN) counts as the mean. */
export function scaleInputs({ mean, spread }: ChurnScaling, inputs: Float32Array, at: number): void {
  for (let j = 0; j < mean.length; j++) {
    const scaled = (inputs[at + j]! - mean[j]!) / spread[j]!;
    inputs[at + j] = Number.isNaN(scaled) ? 0 : Math.max(-clipAt, Math.min(clipAt, scaled));
  }
}

/** Calibrated probability of no purchase within `horizonDays`, the model's own by default. */
export function churnRisk(model: ChurnModel, vector: Float32Array, horizonDays = model.horizonDays): number {
  const gone = goneRisk(model, vector, horizonDays);
  if (gone !== undefined) return gone;
  const { slope, intercept } = model.calibration;
  return sigmoid(slope * churnLogit(model, vector, horizonDays) + intercept);
}

/**
 * The risk for each of the model's horizons, ascending. A longer horizon never has the higher risk: what the network says is
 * corrected for it, from the own horizon outwards.
 */
export function churnRisks(model: ChurnModel, vector: Float32Array): { days: number; risk: number }[] {
  const risks = model.horizons.map((days) => ({ days, risk: churnRisk(model, vector, days) }));
  const own = risks.findIndex(({ days }) => days === model.horizonDays);
  for (let n = own - 1; n >= 0; n--) risks[n]!.risk = Math.max(risks[n]!.risk, risks[n + 1]!.risk);
  for (let n = own + 1; n < risks.length; n++) risks[n]!.risk = Math.min(risks[n]!.risk, risks[n - 1]!.risk);
  return risks;
}

const recencyFeature = 'daysSinceLastOrder';

/** undefined: not long gone. Chances to come back are small then, and grow with the horizon. */
function goneRisk(model: ChurnModel, vector: Float32Array, horizonDays: number): number | undefined {
  const { gone, featureNames } = model;
  if (gone === undefined || !((vector[featureNames.indexOf(recencyFeature)] ?? 0) > gone.afterDays))
    return undefined;
  return horizonDays === model.horizonDays
    ? gone.risk
    : 1 - Math.min(0.5, ((1 - gone.risk) * horizonDays) / model.horizonDays);
}

/** The logit before calibration. */
export function churnLogit(model: ChurnModel, vector: Float32Array, horizonDays: number): number {
  const { writer, inputs } = workOf(model);
  checkLength(model, vector);
  writer.write(vector, 0, horizonDays, inputs, 0);
  return networkLogit(model, inputs);
}

/** The same of a row of inputs as they were written; scales them in place. */
function networkLogit(
  model: Pick<ChurnModel, 'prior' | 'mean' | 'spread' | 'wide' | 'members'>,
  inputs: Float32Array,
): number {
  const prior = priorLogit(model.prior, inputs, 0);
  scaleInputs(model, inputs, 0);
  let z = prior + mlpLogit([model.wide], inputs);
  for (const layers of model.members) z += mlpLogit(layers, inputs);
  return z;
}

/** Of the row of unscaled inputs that begins at `at`: the models' logits come first (`churn-inputs.ts`). */
function priorLogit({ mbgNbd, paretoNbd }: Prior, inputs: Float32Array, at: number): number {
  return mbgNbd * inputs[at]! + paretoNbd * inputs[at + 1]!;
}

/** What each input adds to the calibrated logit of a customer, against the mean of all. */
export type ChurnContributions = {
  /** The calibrated logit of a customer who is the mean in everything. */
  base: number;
  /** Names of features, and of what is derived from them; with `base` they add up to the logit of the risk. */
  inputs: readonly { name: string; contribution: number }[];
};

/**
 * Exact for what is linear, and for the networks integrated gradients (Sundararajan, Taly and Yan 2017) on the straight
 * way from the mean to the customer, which are exact too, since networks of rectified units are linear piece by piece. Of a
 * customer who is long gone, the last order is the one reason.
 */
export function churnContributions(model: ChurnModel, vector: Float32Array): ChurnContributions {
  const { writer, inputs } = workOf(model);
  checkLength(model, vector);
  const { slope, intercept } = model.calibration;
  const { prior, mean, wide } = model;
  writer.write(vector, 0, model.horizonDays, inputs, 0);
  const parts = new Float64Array(inputs.length);
  parts[0] = prior.mbgNbd * (inputs[0]! - mean[0]!);
  parts[1] = prior.paretoNbd * (inputs[1]! - mean[1]!);
  scaleInputs(model, inputs, 0);
  const origin = new Float32Array(inputs.length);
  let atOrigin = priorLogit(prior, mean, 0) + wide.bias[0]!;
  for (let j = 0; j < inputs.length; j++) parts[j]! += wide.weights[j]! * inputs[j]!;
  for (const layers of model.members) {
    atOrigin += mlpLogit(layers, origin);
    integratedGradients(layers, inputs, parts);
  }
  const base = slope * atOrigin + intercept;
  const gone = goneRisk(model, vector, model.horizonDays);
  if (gone !== undefined)
    return { base, inputs: [{ name: recencyFeature, contribution: logit(gone) - base }] };
  return {
    base,
    inputs: Array.from(parts, (part, j) => ({ name: writer.names[j]!, contribution: slope * part })),
  };
}

function checkLength({ featureNames }: ChurnModel, vector: Float32Array): void {
  if (vector.length !== featureNames.length)
    throw new Error(`the churn model takes ${featureNames.length} features, not ${vector.length}`);
}

/** What a model needs to be asked, made once. */
type Work = { writer: InputWriter; inputs: Float32Array };
const works = new WeakMap<ChurnModel, Work>();

function workOf(model: ChurnModel): Work {
  const known = works.get(model);
  if (known !== undefined) return known;
  const writer = createInputWriter(model.featureNames, model.purchases);
  const work = { writer, inputs: new Float32Array(writer.names.length) };
  works.set(model, work);
  return work;
}
