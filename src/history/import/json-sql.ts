/**
 * Typed reading of JSON objects in SQL. All fields of an object come out of two parses, one of their types and one of
 * their texts; a value of another type than the one asked for is NULL, so that `"5"` is no number and `5` no text.
 */
import { sqlText } from '../lake.ts';

/** SQL of a field's JSON type (`VARCHAR`, `UBIGINT` …; NULL: absent) and of its text. */
export type JsonField = { type: string; value: string };

/** `select`: columns to put beside the JSON column; `field`: a field of what they hold. */
export function jsonFields(
  json: string,
  paths: readonly string[],
): { select: string; field: (path: string) => JsonField } {
  const list = `[${paths.map((path) => sqlText(`$.${path}`)).join(', ')}]`;
  return {
    select: `json_type(${json}, ${list}) AS fieldTypes, json_extract_string(${json}, ${list}) AS fieldTexts`,
    field: (path) => {
      const at = paths.indexOf(path) + 1;
      if (at === 0) throw new Error(`The field ${path} is not among those that are read`);
      return { type: `fieldTypes[${at}]`, value: `fieldTexts[${at}]` };
    },
  };
}

export function text({ type, value }: JsonField): string {
  return `(CASE WHEN ${type} = 'VARCHAR' THEN ${value} END)`;
}

export function integer({ type, value }: JsonField): string {
  return `(CASE WHEN ${type} IN ('UBIGINT', 'BIGINT') THEN TRY_CAST(${value} AS BIGINT) END)`;
}

export function number({ type, value }: JsonField): string {
  return `(CASE WHEN ${type} IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN TRY_CAST(${value} AS DOUBLE) END)`;
}

export function boolean({ type, value }: JsonField): string {
  return `(CASE WHEN ${type} = 'BOOLEAN' THEN ${value} = 'true' END)`;
}

/** SQL condition for an optional field: absent (or null), or of a value for which `condition` holds. */
export function missingOrValid({ type }: JsonField, condition: string): string {
  return `(${type} IS NULL OR ${type} = 'NULL' OR coalesce(${condition}, false))`;
}

/** SQL condition for a required field. */
export function present(condition: string): string {
  return `coalesce(${condition}, false)`;
}
