/** Typed reading of JSON values in SQL: NULL where the value is of another type, so that `"5"` is no number and `5` no text. */

export function text(json: string): string {
  return `(CASE WHEN json_type(${json}) = 'VARCHAR' THEN json_extract_string(${json}, '$') END)`;
}

export function integer(json: string): string {
  return `(CASE WHEN json_type(${json}) IN ('UBIGINT', 'BIGINT') THEN TRY_CAST(json_extract_string(${json}, '$') AS BIGINT) END)`;
}

export function number(json: string): string {
  return `(CASE WHEN json_type(${json}) IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN TRY_CAST(json_extract_string(${json}, '$') AS DOUBLE) END)`;
}

export function boolean(json: string): string {
  return `(CASE WHEN json_type(${json}) = 'BOOLEAN' THEN json_extract_string(${json}, '$') = 'true' END)`;
}

/** SQL condition for an optional field: absent (or null), or of a value for which `condition` holds. */
export function missingOrValid(json: string, condition: string): string {
  return `(${json} IS NULL OR json_type(${json}) = 'NULL' OR coalesce(${condition}, false))`;
}

/** SQL condition for a required field. */
export function present(condition: string): string {
  return `coalesce(${condition}, false)`;
}
