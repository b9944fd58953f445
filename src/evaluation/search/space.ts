/** What a search for hyper-parameters may choose from. */
import type { Rng } from '../../algorithms/rng.ts';

export type ParamValue = number | string | boolean;
/** Hyper-parameters by name. */
export type Params = Record<string, ParamValue>;

export type Dimension =
  /** A number; with `log` its logarithm is what is drawn evenly, and `min` must be above 0. */
  | { kind: 'real' | 'integer'; min: number; max: number; log?: boolean }
  | { kind: 'choice'; options: readonly ParamValue[] };

/** Hyper-parameters that are not in it keep the value with which the search starts. */
export type SearchSpace = Readonly<Record<string, Dimension>>;

/** A value anywhere in the dimension. */
export function anywhere(dimension: Dimension, rng: Rng): ParamValue {
  if (dimension.kind === 'choice') return oneOf(dimension.options, rng);
  return fromUnit(dimension, rng.next());
}

/** A value near `value`: a number moves by a normal of `spread` times the dimension's width, a choice to any other. */
export function nearby(dimension: Dimension, value: ParamValue, spread: number, rng: Rng): ParamValue {
  if (dimension.kind === 'choice') {
    const others = dimension.options.filter((option) => option !== value);
    return others.length === 0 ? value : oneOf(others, rng);
  }
  const moved = fromUnit(dimension, toUnit(dimension, Number(value)) + spread * rng.normal());
  if (dimension.kind === 'real' || moved !== value) return moved;
  // A step too small to leave the whole number would be the same trial again.
  return clamp(dimension, moved + (rng.chance(0.5) ? 1 : -1));
}

type NumberDimension = Exclude<Dimension, { kind: 'choice' }>;

function toUnit({ min, max, log }: NumberDimension, value: number): number {
  if (max === min) return 0;
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

function fromUnit(dimension: NumberDimension, unit: number): number {
  const { kind, min, max, log } = dimension;
  const within = Math.min(1, Math.max(0, unit));
  const value = log ? min * (max / min) ** within : min + (max - min) * within;
  // Four figures are more than a search can tell apart, and can be read.
  return clamp(dimension, kind === 'integer' ? Math.round(value) : Number(value.toPrecision(4)));
}

function clamp({ min, max }: NumberDimension, value: number): number {
  return Math.min(max, Math.max(min, value));
}

function oneOf(options: readonly ParamValue[], rng: Rng): ParamValue {
  const option = options[rng.nextInt(options.length)];
  if (option === undefined) throw new RangeError('a choice needs options');
  return option;
}
