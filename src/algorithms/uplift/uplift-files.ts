/** The uplift model as the files of a published model, and back. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { BoostedTrees } from '../boosted-trees/boosted-trees.ts';
import type { Arrays, Tables } from '../model-parts.ts';
import { numbersOf, UPLIFT_LEARNERS, type UpliftModel } from './uplift-model.ts';

/** Of the files; one with another number is of another kind of model. */
const filesVersion = 2;

const count = z.int().min(0);
const Table = z.strictObject({
  version: z.literal(filesVersion),
  columns: count,
  fits: z.boolean().default(false),
  knots: z.array(count),
  features: count,
  size: count,
  response: z.strictObject({ kind: z.enum(['linear', 'trees']), start: z.number() }),
  responseMean: z.number(),
  responseSpread: z.number().positive(),
  proportion: z.number(),
  contact: z.strictObject({ start: z.number(), mean: z.number(), spread: z.number().positive() }).nullable(),
  arms: z.array(z.string()),
  traits: z.array(z.string()).min(1),
  learned: z.strictObject({
    rows: count,
    response: z.enum(['linear', 'trees']),
    learner: z.enum(UPLIFT_LEARNERS),
    loss: z.partialRecord(z.enum(UPLIFT_LEARNERS), z.number()),
    slope: z.number().min(0).max(1),
  }),
});

/** `name` goes before the names of all files, so that several such models may be in one published model. */
export function upliftToFiles(name: string, model: UpliftModel): { arrays: Arrays; tables: Tables } {
  const { basis, response, arms, contact } = model;
  const arrays: Arrays = {
    Knots: joined(basis.knots),
    Axes: basis.axes,
    Centre: basis.centre,
    Baseline: model.baseline,
    ArmMeans: joined(arms.map(({ mean }) => mean)),
    ArmFactors: joined(arms.map(({ factor }) => factor)),
    SharedMean: model.shared.mean,
    SharedCovariance: model.shared.covariance,
    Own: model.own,
    ...(response.kind === 'linear' ? { Weights: response.weights } : treeArrays('', response.trees)),
    ...(contact === undefined ? {} : treeArrays('Contact', contact.trees)),
  };
  const table: z.input<typeof Table> = {
    version: filesVersion,
    columns: model.columns,
    fits: model.fits,
    knots: basis.knots.map(({ length }) => length),
    features: basis.features,
    size: basis.size,
    response: {
      kind: response.kind,
      start: response.kind === 'linear' ? response.intercept : response.trees.bias,
    },
    responseMean: model.responseMean,
    responseSpread: model.responseSpread,
    proportion: model.proportion,
    contact:
      contact === undefined
        ? null
        : { start: contact.trees.bias, mean: contact.mean, spread: contact.spread },
    arms: arms.map(({ id }) => id),
    traits: model.traits,
    learned: model.learned,
  };
  return {
    arrays: Object.fromEntries(Object.entries(arrays).map(([key, array]) => [name + key, array])),
    tables: { [name]: table },
  };
}

/** The reverse of `upliftToFiles`. Throws AppError MODEL_UNAVAILABLE where the files do not make a model. */
export function upliftFromFiles(name: string, arrays: Arrays, tables: Tables): UpliftModel {
  const parsed = Table.safeParse(tables[name]);
  if (!parsed.success) throw unusable(name, `its table: ${z.prettifyError(parsed.error)}`);
  const { columns, fits, knots, features, size, response, contact, arms, traits, ...rest } = parsed.data;
  const floats = (key: string, length: number): Float64Array => {
    const array = arrays[name + key];
    if (!(array instanceof Float64Array) || array.length !== length)
      throw unusable(name, `its array ${name}${key} must hold ${length} float64`);
    return array;
  };
  const width = numbersOf({ basis: { size }, fits });
  const sharedWidth = traits.length * width;
  if (knots.length !== columns) throw unusable(name, 'its knots are not those of its columns');
  return {
    columns,
    fits,
    basis: {
      columns,
      knots: parted(
        floats(
          'Knots',
          knots.reduce((sum, n) => sum + n, 0),
        ),
        knots,
      ),
      features,
      size,
      axes: floats('Axes', size * features),
      centre: floats('Centre', size),
    },
    response:
      response.kind === 'linear'
        ? { kind: 'linear', intercept: response.start, weights: floats('Weights', features) }
        : { kind: 'trees', trees: treesOf(name, arrays, columns, response.start) },
    responseMean: rest.responseMean,
    responseSpread: rest.responseSpread,
    proportion: rest.proportion,
    contact:
      contact === null
        ? undefined
        : {
            trees: treesOf(`${name}Contact`, arrays, columns, contact.start),
            mean: contact.mean,
            spread: contact.spread,
          },
    baseline: floats('Baseline', width),
    arms: parted(
      floats('ArmMeans', arms.length * width),
      arms.map(() => width),
    ).map((mean, a) => ({
      id: arms[a]!,
      mean,
      factor: floats('ArmFactors', arms.length * width * width).slice(
        a * width * width,
        (a + 1) * width * width,
      ),
    })),
    traits,
    shared: {
      mean: floats('SharedMean', sharedWidth),
      covariance: floats('SharedCovariance', sharedWidth ** 2),
    },
    own: floats('Own', width),
    learned: rest.learned,
  };
}

function treeArrays(prefix: string, trees: BoostedTrees): Arrays {
  const { roots, feature, threshold, left, right, value } = trees;
  const arrays = {
    Roots: roots,
    Feature: feature,
    Threshold: threshold,
    Left: left,
    Right: right,
    Value: value,
  };
  return Object.fromEntries(Object.entries(arrays).map(([key, array]) => [prefix + key, array]));
}

/** A damaged file must not send a walk out of the tree, or round in it: children come after their parents, and features are columns. */
function treesOf(name: string, arrays: Arrays, columns: number, bias: number): BoostedTrees {
  const integers = (key: string): Int32Array => {
    const array = arrays[name + key];
    if (!(array instanceof Int32Array)) throw unusable(name, `its array ${name}${key} must hold int32`);
    return array;
  };
  const singles = (key: string, length: number): Float32Array => {
    const array = arrays[name + key];
    if (!(array instanceof Float32Array) || array.length !== length)
      throw unusable(name, `its array ${name}${key} must hold ${length} float32`);
    return array;
  };
  const feature = integers('Feature');
  const nodes = feature.length;
  const [roots, left, right] = [integers('Roots'), integers('Left'), integers('Right')];
  const sound =
    left.length === nodes &&
    right.length === nodes &&
    roots.every((root) => root >= 0 && root < nodes) &&
    feature.every((column, n) => {
      if (column < 0) return true;
      return column < columns && [left[n]!, right[n]!].every((child) => child > n && child < nodes);
    });
  if (!sound) throw unusable(name, 'its trees are damaged');
  return {
    columns,
    bias,
    roots,
    feature,
    threshold: singles('Threshold', nodes),
    left,
    right,
    value: singles('Value', nodes),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function parted(all: Float64Array, lengths: readonly number[]): Float64Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return all.slice(at - length, at);
  });
}

function unusable(name: string, fault: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The model of offers cannot be used.',
    internal: `uplift model ${name}: ${fault}`,
  });
}
