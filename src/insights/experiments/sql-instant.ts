/** Milliseconds since 1970 as a TIMESTAMP of SQL. */
export function sqlInstant(ms: number): string {
  return `make_timestamp(${BigInt(Math.ceil(ms)) * 1000n})`;
}
