/** Reads the parts of the collaborative model out of its files. AppError MODEL_UNAVAILABLE where one does not fit. */
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { CsrMatrix } from './csr.ts';

/** As the model store has them. */
export type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;
export type Tables = Record<string, unknown>;

export function readArray<T extends Arrays[string]>(
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

export function readTable<S extends z.ZodType>(tables: Tables, name: string, schema: S): z.output<S> {
  const parsed = schema.safeParse(tables[name]);
  if (!parsed.success) throw misfit(`table ${name}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The three arrays of a sparse matrix, `<name>Indptr`, `<name>Indices`, `<name>Data`. */
export function matrixArrays(name: string, { indptr, indices, data }: CsrMatrix): Arrays {
  return { [`${name}Indptr`]: indptr, [`${name}Indices`]: indices, [`${name}Data`]: data };
}

export function readMatrix(arrays: Arrays, name: string, rows: number, cols: number): CsrMatrix {
  const indptr = readArray(arrays, `${name}Indptr`, Int32Array, rows + 1);
  const entries = indptr[rows]!;
  const indices = readArray(arrays, `${name}Indices`, Int32Array, entries);
  // Sizes alone would let a damaged file read past its neighbours.
  for (let r = 0; r < rows; r++)
    if (indptr[r]! < 0 || indptr[r]! > indptr[r + 1]!) throw misfit(`${name}Indptr does not ascend`);
  for (const index of indices)
    if (index < 0 || index >= cols) throw misfit(`${name}Indices names item ${index} of ${cols}`);
  return { rows, cols, indptr, indices, data: readArray(arrays, `${name}Data`, Float32Array, entries) };
}

export function misfit(internal: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The recommendation model cannot be used.',
    internal: `collaborative model: ${internal}`,
  });
}
