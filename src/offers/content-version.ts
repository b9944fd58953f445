/** Names what an object says: the same content has the same version, whoever saves it, wherever and whenever. */
import { createHash } from 'node:crypto';

/** 12 hex digits of the SHA-256 of its JSON with sorted keys; what is undefined counts as absent. */
export function contentVersion(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(content)))
    .digest('hex')
    .slice(0, 12);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
