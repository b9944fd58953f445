/** The churn model as the files of a published model, and back. */
import { AppError } from '../domain/errors.ts';
import { createInputWriter, type InputWriter } from './churn-inputs.ts';
import type { ChurnModel, LongGone } from './churn-model.ts';
import type { DenseLayer } from './mlp.ts';

type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;

/** Of the files; one with another number is of another kind of model. */
const filesVersion = 2;

/** The model as the files of a published model. */
export function churnToFiles(model: ChurnModel): { arrays: Arrays; tables: Record<string, unknown> } {
  const arrays: Arrays = {
    mean: model.mean,
    spread: model.spread,
    wideWeights: model.wide.weights,
    wideBias: model.wide.bias,
  };
  for (const [k, layers] of model.members.entries())
    for (const [l, { weights, bias }] of layers.entries()) {
      arrays[`weights${k}-${l}`] = weights;
      arrays[`bias${k}-${l}`] = bias;
    }
  const { featureNames, purchases, prior, calibration, horizonDays, horizons, gone } = model;
  const network = {
    version: filesVersion,
    featureNames,
    purchases,
    prior,
    calibration,
    horizonDays,
    horizons,
    gone: gone ?? null,
    widths: model.members.map((layers) => layers.map(({ outputs }) => outputs)),
  };
  return { arrays, tables: { network } };
}

/** The reverse of `churnToFiles`. Throws AppError MODEL_UNAVAILABLE where the files do not make a model. */
export function churnFromFiles(arrays: Arrays, tables: Record<string, unknown>): ChurnModel {
  const table = (tables.network ?? {}) as Record<string, unknown>;
  if (table.version !== filesVersion)
    throw unusable('it is of an earlier kind: train the churn model again (nextbest train train-churn)');
  const { featureNames, purchases, prior, calibration, horizonDays, horizons, gone, widths } =
    table as unknown as Omit<ChurnModel, 'gone'> & { gone: LongGone | null; widths: number[][] };
  if (
    !Array.isArray(featureNames) ||
    !areNumbers(purchases?.mbgNbd, ['r', 'alpha', 'a', 'b']) ||
    !areNumbers(purchases?.paretoNbd, ['r', 'alpha', 's', 'beta']) ||
    !areNumbers(prior, ['mbgNbd', 'paretoNbd']) ||
    !areNumbers(calibration, ['slope', 'intercept']) ||
    !Array.isArray(horizons) ||
    !horizons.includes(horizonDays) ||
    !horizons.every((days: unknown) => typeof days === 'number' && days > 0) ||
    (gone !== null && !(areNumbers(gone, ['afterDays', 'risk']) && gone.risk > 0 && gone.risk < 1)) ||
    !Array.isArray(widths)
  )
    throw unusable('its table "network" is incomplete');
  const float32 = (name: string, length: number): Float32Array => {
    const array = arrays[name];
    if (!(array instanceof Float32Array) || array.length !== length)
      throw unusable(`its array "${name}" must hold ${length} float32`);
    return array;
  };
  let writer: InputWriter;
  try {
    writer = createInputWriter(featureNames, purchases);
  } catch (err) {
    throw unusable(err instanceof Error ? err.message : String(err));
  }
  const width = writer.names.length;
  const members = widths.map((ofMember, k) => {
    const layers = ofMember.map((outputs, l): DenseLayer => {
      const inputs = l === 0 ? width : ofMember[l - 1]!;
      const weights = float32(`weights${k}-${l}`, inputs * outputs);
      return { inputs, outputs, weights, bias: float32(`bias${k}-${l}`, outputs) };
    });
    if (layers.at(-1)?.outputs !== 1) throw unusable('its last layer must have one output');
    return layers;
  });
  return {
    featureNames,
    purchases,
    prior,
    mean: float32('mean', width),
    spread: float32('spread', width),
    wide: { inputs: width, outputs: 1, weights: float32('wideWeights', width), bias: float32('wideBias', 1) },
    members,
    calibration,
    horizonDays,
    horizons,
    gone: gone ?? undefined,
  };
}

function areNumbers(table: unknown, names: readonly string[]): boolean {
  if (typeof table !== 'object' || table === null) return false;
  return names.every((name) => Number.isFinite((table as Record<string, unknown>)[name]));
}

function unusable(fault: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The churn model cannot be used.',
    internal: `the churn model cannot be used: ${fault}`,
  });
}
