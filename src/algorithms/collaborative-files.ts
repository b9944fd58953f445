/** The collaborative model as typed arrays and JSON tables, the way model files are kept. */
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { CollaborativeModel } from './collaborative-model.ts';
import { contentFromFiles, contentToFiles } from './content-files.ts';
import type { CsrMatrix } from './csr.ts';

/** As the model store has them. */
type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;
type Tables = Record<string, unknown>;

const share = z.number().min(0).max(1);
const Settings = z.object({
  factors: z.int().positive().multipleOf(4),
  unobservedWeight: z.number().min(0),
  regularization: z.number().positive(),
  regularizationExponent: z.number().min(0),
  asOf: z.number(),
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
  return {
    arrays: {
      itemFactors: model.itemFactors,
      gram: model.gram,
      popularity: model.popularity,
      gapDays: rhythm.gapDays,
      repeatShare: rhythm.repeatShare,
      neighboursIndptr: neighbours.indptr,
      neighboursIndices: neighbours.indices,
      neighboursData: neighbours.data,
      boughtTogetherIndptr: boughtTogether.indptr,
      boughtTogetherIndices: boughtTogether.indices,
      boughtTogetherData: boughtTogether.data,
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
        weighting: model.weighting,
        rhythmShape: rhythm.shape,
        buyAgainHorizonDays: model.buyAgainHorizonDays,
        fusion: model.fusion,
      } satisfies z.output<typeof Settings>,
    },
  };
}

/** The model of these files. AppError MODEL_UNAVAILABLE when they do not fit together. */
export function collaborativeFromFiles(arrays: Arrays, tables: Tables): CollaborativeModel {
  const itemIds = table(tables, 'items', Ids);
  const segments = table(tables, 'segments', Ids);
  const { rhythmShape, ...settings } = table(tables, 'settings', Settings);
  const items = itemIds.length;
  const { factors } = settings;
  const matrix = (name: string): CsrMatrix => {
    const indptr = array(arrays, `${name}Indptr`, Int32Array, items + 1);
    const entries = indptr[items]!;
    const indices = array(arrays, `${name}Indices`, Int32Array, entries);
    // Sizes alone would let a damaged file read past its neighbours.
    for (let r = 0; r < items; r++)
      if (indptr[r]! < 0 || indptr[r]! > indptr[r + 1]!) throw misfit(`${name}Indptr does not ascend`);
    for (const index of indices)
      if (index < 0 || index >= items) throw misfit(`${name}Indices names item ${index} of ${items}`);
    return {
      rows: items,
      cols: items,
      indptr,
      indices,
      data: array(arrays, `${name}Data`, Float32Array, entries),
    };
  };
  const content = contentFromFiles(arrays, tables, factors);
  if (segments[0] !== '') throw misfit('segments must start with everybody');
  return {
    ...settings,
    itemIds,
    itemIndex: new Map(itemIds.map((id, i) => [id, i])),
    itemFactors: array(arrays, 'itemFactors', Float32Array, items * factors),
    gram: array(arrays, 'gram', Float64Array, factors * factors),
    neighbours: matrix('neighbours'),
    boughtTogether: matrix('boughtTogether'),
    segments,
    popularity: array(arrays, 'popularity', Float32Array, segments.length * items),
    rhythm: {
      gapDays: array(arrays, 'gapDays', Float32Array, items),
      repeatShare: array(arrays, 'repeatShare', Float32Array, items),
      shape: rhythmShape,
    },
    ...(content !== undefined && { content }),
  };
}

function array<T extends Arrays[string]>(
  arrays: Arrays,
  name: string,
  type: new (length: number) => T,
  length: number,
): T {
  const found = arrays[name];
  if (!(found instanceof type)) throw misfit(`${name} is missing or no ${type.name}`);
  if (found.length !== length) throw misfit(`${name} has ${found.length} values, not ${length}`);
  return found;
}

function table<S extends z.ZodType>(tables: Tables, name: string, schema: S): z.output<S> {
  const parsed = schema.safeParse(tables[name]);
  if (!parsed.success) throw misfit(`table ${name}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function misfit(internal: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The recommendation model cannot be used.',
    internal: `collaborative model: ${internal}`,
  });
}
