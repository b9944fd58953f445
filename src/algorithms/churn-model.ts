/**
 * A customer's churn risk: the chance of no purchase within `horizonDays` from now. A small network over the feature
 * vector, trained by `train/churn`; here is the arithmetic that a request needs, in typed arrays.
 *
 *   scaled_j = clip((signedLog(feature_j) − mean_j) / spread_j, ±5)      logit = mlp(scaled)      risk = isotonic(logit)
 */
import { AppError } from '../domain/errors.ts';
import { calibrate, type IsotonicCalibration } from './calibration.ts';
import { type DenseLayer, mlpLogit } from './mlp.ts';

export type ChurnModel = {
  /** Outputs of the feature registry, in the order of the vector. */
  featureNames: readonly string[];
  /** Mean and standard deviation of each feature's signed logarithm over the customers trained on. */
  mean: Float32Array;
  spread: Float32Array;
  layers: readonly DenseLayer[];
  calibration: IsotonicCalibration;
  horizonDays: number;
  gone: LongGone;
};

/**
 * Customers whose last order lies more than `afterDays` back: the network has seen none of them, and would guess. Their
 * risk is the share of such customers in the log who did not buy within the horizon either.
 */
export type LongGone = { afterDays: number; risk: number };

/** What moves a customer's risk. */
export type ChurnReason = {
  feature: string;
  value: number;
  /** Change of the logit against the same customer with this feature at the mean; above 0 = raises the risk. */
  contribution: number;
};

const clipAt = 5;

/** sign(x)·ln(1 + |x|): tames amounts and counts, leaves shares nearly as they are. */
export function signedLog(x: number): number {
  return x < 0 ? -Math.log1p(-x) : Math.log1p(x);
}

/** A feature vector as the network sees it. What is unknown (NaN) counts as the mean. */
export function scaleFeatures(
  { mean, spread }: Pick<ChurnModel, 'mean' | 'spread'>,
  vector: Float32Array,
  out = new Float32Array(vector.length),
): Float32Array {
  if (vector.length !== mean.length)
    throw new Error(`the churn model takes ${mean.length} features, not ${vector.length}`);
  for (let j = 0; j < vector.length; j++) {
    const scaled = (signedLog(vector[j]!) - mean[j]!) / spread[j]!;
    out[j] = Number.isNaN(scaled) ? 0 : Math.max(-clipAt, Math.min(clipAt, scaled));
  }
  return out;
}

/** Calibrated probability of no purchase within the model's horizon. */
export function churnRisk(model: ChurnModel, vector: Float32Array): number {
  if (isLongGone(model, vector)) return model.gone.risk;
  return calibrate(model.calibration, churnLogit(model, vector));
}

const recencyFeature = 'daysSinceLastOrder';

function isLongGone({ featureNames, gone }: ChurnModel, vector: Float32Array): boolean {
  return (vector[featureNames.indexOf(recencyFeature)] ?? 0) > gone.afterDays;
}

/** The network's output before calibration. */
export function churnLogit(
  model: Pick<ChurnModel, 'mean' | 'spread' | 'layers'>,
  vector: Float32Array,
): number {
  return mlpLogit(model.layers, scaleFeatures(model, vector));
}

/**
 * The `k` features that move this customer's risk most, by exact ablation: each feature in turn is set to the mean of
 * all customers. Contributions need not add up to the whole: features work together in a network. Of a customer who is
 * long gone, that is the one reason.
 */
export function churnReasons(model: ChurnModel, vector: Float32Array, k: number): ChurnReason[] {
  if (isLongGone(model, vector)) {
    const { risk } = model.gone;
    const value = vector[model.featureNames.indexOf(recencyFeature)]!;
    return [{ feature: recencyFeature, value, contribution: Math.log(risk / (1 - risk)) }];
  }
  const scaled = scaleFeatures(model, vector);
  const logit = mlpLogit(model.layers, scaled);
  const reasons: ChurnReason[] = [];
  for (let j = 0; j < scaled.length; j++) {
    const own = scaled[j]!;
    if (own === 0) continue;
    scaled[j] = 0;
    const contribution = logit - mlpLogit(model.layers, scaled);
    scaled[j] = own;
    if (contribution !== 0)
      reasons.push({ feature: model.featureNames[j]!, value: vector[j]!, contribution });
  }
  return reasons.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).slice(0, k);
}

type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;

/** The model as the files of a published model. */
export function churnToFiles(model: ChurnModel): { arrays: Arrays; tables: Record<string, unknown> } {
  const arrays: Arrays = {
    mean: model.mean,
    spread: model.spread,
    calibrationScores: model.calibration.scores,
    calibrationProbabilities: model.calibration.probabilities,
  };
  for (const [l, { weights, bias }] of model.layers.entries()) {
    arrays[`weights${l}`] = weights;
    arrays[`bias${l}`] = bias;
  }
  const network = {
    featureNames: model.featureNames,
    horizonDays: model.horizonDays,
    gone: model.gone,
    widths: model.layers.map(({ outputs }) => outputs),
  };
  return { arrays, tables: { network } };
}

/** The reverse of `churnToFiles`. Throws AppError MODEL_UNAVAILABLE where the files do not make a model. */
export function churnFromFiles(arrays: Arrays, tables: Record<string, unknown>): ChurnModel {
  const network = (tables.network ?? {}) as Partial<{
    featureNames: string[];
    horizonDays: number;
    gone: LongGone;
    widths: number[];
  }>;
  const { featureNames, horizonDays, gone, widths } = network;
  if (
    !Array.isArray(featureNames) ||
    typeof horizonDays !== 'number' ||
    typeof gone?.afterDays !== 'number' ||
    !(gone.risk > 0 && gone.risk < 1) ||
    !Array.isArray(widths)
  )
    throw unusable('its table "network" is incomplete');
  const float32 = (name: string, length: number): Float32Array => {
    const array = arrays[name];
    if (!(array instanceof Float32Array) || array.length !== length)
      throw unusable(`its array "${name}" must hold ${length} float32`);
    return array;
  };
  const layers = widths.map((outputs, l): DenseLayer => {
    const inputs = l === 0 ? featureNames.length : widths[l - 1]!;
    const weights = float32(`weights${l}`, inputs * outputs);
    return { inputs, outputs, weights, bias: float32(`bias${l}`, outputs) };
  });
  if (layers.at(-1)?.outputs !== 1) throw unusable('its last layer must have one output');
  const { calibrationScores: scores, calibrationProbabilities: probabilities } = arrays;
  if (
    !(scores instanceof Float64Array && probabilities instanceof Float64Array) ||
    scores.length === 0 ||
    scores.length !== probabilities.length
  )
    throw unusable('its calibration is incomplete');
  return {
    featureNames,
    horizonDays,
    gone,
    mean: float32('mean', featureNames.length),
    spread: float32('spread', featureNames.length),
    layers,
    calibration: { scores, probabilities },
  };
}

function unusable(fault: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The churn model cannot be used.',
    internal: `the churn model cannot be used: ${fault}`,
  });
}
