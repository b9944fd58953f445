/** The collaborative model as typed arrays and JSON tables, the way model files are kept. */
import { z } from 'zod';
import type { CollaborativeModel } from './collaborative-model.ts';
import { contentFromFiles, contentToFiles } from './content-files.ts';
import {
  type Arrays,
  matrixArrays,
  misfit,
  readArray,
  readMatrix,
  readTable,
  type Tables,
} from './model-parts.ts';
import { rankerFromFiles, rankerToFiles, sourcesFromFiles, sourcesToFiles } from './ranker/ranker-files.ts';

const share = z.number().min(0).max(1);
const Settings = z.object({
  factors: z.int().positive().multipleOf(4),
  unobservedWeight: z.number().min(0),
  regularization: z.number().positive(),
  regularizationExponent: z.number().min(0),
  asOf: z.number(),
  users: z.int().positive().optional(),
  weighting: z.object({ halfLifeDays: z.number().positive(), floor: share }),
  rhythmShape: z.number().positive(),
  buyAgainHorizonDays: z.number().positive(),
  fusion: z.object({
    weights: z.object({
      ials: z.number().min(0),
      neighbours: z.number().min(0),
      buyAgain: z.number().min(0),
      popularity: z.number().min(0),
    }),
    rankConstant: z.number().min(0),
  }),
});
const Ids = z.array(z.string());

export function collaborativeToFiles(model: CollaborativeModel): { arrays: Arrays; tables: Tables } {
  const { neighbours, boughtTogether, rhythm } = model;
  const content = contentToFiles(model.content);
  const sources = model.sources && sourcesToFiles(model.sources);
  const ranker = model.ranker && rankerToFiles(model.ranker);
  return {
    arrays: {
      itemFactors: model.itemFactors,
      gram: model.gram,
      popularity: model.popularity,
      gapDays: rhythm.gapDays,
      repeatShare: rhythm.repeatShare,
      ...(model.users !== undefined && { userGram: model.users.gram }),
      ...matrixArrays('neighbours', neighbours),
      ...matrixArrays('boughtTogether', boughtTogether),
      ...sources?.arrays,
      ...ranker?.arrays,
      ...content.arrays,
    },
    tables: {
      ...content.tables,
      items: model.itemIds,
      segments: model.segments,
      settings: {
        factors: model.factors,
        unobservedWeight: model.unobservedWeight,
        regularization: model.regularization,
        regularizationExponent: model.regularizationExponent,
        asOf: model.asOf,
        ...(model.users !== undefined && { users: model.users.count }),
        weighting: model.weighting,
        rhythmShape: rhythm.shape,
        buyAgainHorizonDays: model.buyAgainHorizonDays,
        fusion: model.fusion,
      } satisfies z.output<typeof Settings>,
      ...sources?.tables,
      ...ranker?.tables,
    },
  };
}

/** The model of these files. AppError MODEL_UNAVAILABLE when they do not fit together. */
export function collaborativeFromFiles(arrays: Arrays, tables: Tables): CollaborativeModel {
  const itemIds = readTable(tables, 'items', Ids);
  const segments = readTable(tables, 'segments', Ids);
  const { rhythmShape, users, ...settings } = readTable(tables, 'settings', Settings);
  const items = itemIds.length;
  const { factors } = settings;
  const content = contentFromFiles(arrays, tables, factors);
  if (segments[0] !== '') throw misfit('segments must start with everybody');
  const sources = sourcesFromFiles(arrays, tables, items);
  const ranker = rankerFromFiles(arrays, tables);
  return {
    ...settings,
    itemIds,
    itemIndex: new Map(itemIds.map((id, i) => [id, i])),
    itemFactors: readArray(arrays, 'itemFactors', Float32Array, items * factors),
    gram: readArray(arrays, 'gram', Float64Array, factors * factors),
    neighbours: readMatrix(arrays, 'neighbours', items, items),
    boughtTogether: readMatrix(arrays, 'boughtTogether', items, items),
    segments,
    popularity: readArray(arrays, 'popularity', Float32Array, segments.length * items),
    rhythm: {
      gapDays: readArray(arrays, 'gapDays', Float32Array, items),
      repeatShare: readArray(arrays, 'repeatShare', Float32Array, items),
      shape: rhythmShape,
    },
    ...(users !== undefined && {
      users: { count: users, gram: readArray(arrays, 'userGram', Float64Array, factors * factors) },
    }),
    ...(content !== undefined && { content }),
    ...(sources !== undefined && { sources }),
    ...(ranker !== undefined && { ranker }),
  };
}
