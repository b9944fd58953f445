/** The content model as part of the collaborative model's files. */
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { ContentModel } from './content-factors.ts';

type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;
type Tables = Record<string, unknown>;

const Table = z.object({ tokens: z.array(z.string()).min(1), ridge: z.number().positive() });

/** Nothing where there is no such model. */
export function contentToFiles(model: ContentModel | undefined): { arrays: Arrays; tables: Tables } {
  if (model === undefined) return { arrays: {}, tables: {} };
  const { tokens, ridge, idf, weights, mean } = model;
  return {
    arrays: { contentIdf: idf, contentWeights: weights, contentMean: mean },
    tables: { content: { tokens: [...tokens], ridge } satisfies z.output<typeof Table> },
  };
}

/** undefined where the files have none; AppError MODEL_UNAVAILABLE where they do not fit together. */
export function contentFromFiles(arrays: Arrays, tables: Tables, factors: number): ContentModel | undefined {
  if (tables.content === undefined) return undefined;
  const parsed = Table.safeParse(tables.content);
  if (!parsed.success) throw misfit(`table content: ${z.prettifyError(parsed.error)}`);
  const { tokens, ridge } = parsed.data;
  const array = (name: string, length: number): Float32Array => {
    const found = arrays[name];
    if (!(found instanceof Float32Array) || found.length !== length)
      throw misfit(`${name} is not a Float32Array of ${length} values`);
    return found;
  };
  return {
    factors,
    tokens,
    tokenIndex: new Map(tokens.map((token, t) => [token, t])),
    idf: array('contentIdf', tokens.length),
    weights: array('contentWeights', tokens.length * factors),
    mean: array('contentMean', factors),
    ridge,
  };
}

function misfit(internal: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The recommendation model cannot be used.',
    internal: `content model: ${internal}`,
  });
}
