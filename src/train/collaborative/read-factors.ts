/** Factors of items that another engine has learned, from files: `itemId` and `factors` (Spark's names, `id` and `features`, do too). */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { type InputFile, inputSql, openInputs } from '../../history/import/input-file.ts';
import { queryChunks } from '../../history/lake.ts';

export type GivenFactors = {
  /** Dimension, as given. */
  size: number;
  byItem: ReadonlyMap<string, Float32Array>;
};

const idColumns = ['itemId', 'item_id', 'id'];
const factorColumns = ['factors', 'features'];
const largestSize = 1024;

/**
 * Reads CSV (factors as `[0.1,0.2]`), NDJSON and Parquet; a folder stands for the files in it, as Spark writes them. Throws a
 * UsageError that names the file, the fault and the cure.
 */
export async function readFactors(
  paths: readonly string[],
  connection: DuckDBConnection,
): Promise<GivenFactors> {
  const byItem = new Map<string, Float32Array>();
  let size = 0;
  for (const file of await openInputs(paths, 'utf-8', connection)) {
    const [idColumn, factorColumn] = [columnOf(file, idColumns), columnOf(file, factorColumns)];
    const query = `SELECT trim(${idColumn}::VARCHAR), TRY_CAST(${factorColumn} AS DOUBLE[]) FROM ${inputSql(file)}`;
    try {
      for await (const chunk of queryChunks(connection, query)) {
        const [ids, factors] = [chunk.getColumnVector(0), chunk.getColumnVector(1)];
        for (let row = 0; row < chunk.rowCount; row++) {
          const itemId = ids.getItem(row) as string | null;
          const list = factors.getItem(row) as { items: readonly (number | null)[] } | null;
          const vector = vectorOf(file, itemId, list?.items);
          if (size === 0) size = vector.length;
          if (vector.length !== size)
            throw new UsageError(
              `${file.path}: item "${itemId}" has ${vector.length} factors, where others have ${size}. All need as many.`,
            );
          if (byItem.has(itemId ?? ''))
            throw new UsageError(`${file.path}: item "${itemId}" is there twice. Keep one of them.`);
          byItem.set(itemId ?? '', vector);
        }
      }
    } catch (err) {
      if (err instanceof UsageError) throw err;
      throw new UsageError(
        `${file.path} cannot be read as factors: ${err instanceof Error ? err.message.split('\n')[0] : String(err)}`,
        { cause: err },
      );
    }
  }
  if (size === 0) throw new UsageError(`${paths.join(', ')}: there are no factors in it.`);
  return { size, byItem };
}

function columnOf(file: InputFile, names: readonly string[]): string {
  const name = names.find((one) => file.columns.includes(one));
  if (name === undefined)
    throw new UsageError(
      `${file.path} has no column ${names[0]} (nor ${names.slice(1).join(', ')}). Its columns are ${file.columns.join(', ')}.`,
    );
  return `"${name}"`;
}

function vectorOf(
  file: InputFile,
  itemId: string | null,
  items: readonly (number | null)[] | undefined,
): Float32Array {
  if (itemId === null || itemId === '')
    throw new UsageError(`${file.path}: a row has no item id. Leave it out.`);
  const vector = Float32Array.from(items ?? [], (value) => value ?? Number.NaN);
  if (vector.length === 0 || vector.length > largestSize || !vector.every(Number.isFinite))
    throw new UsageError(
      `${file.path}: the factors of item "${itemId}" are no list of 1 to ${largestSize} numbers such as [0.12,-0.4].`,
    );
  return vector;
}
