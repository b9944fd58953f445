import { z } from 'zod';
import { UsageError } from '../domain/errors.ts';

/** Milliseconds since 1970 of a flag's ISO 8601 time; undefined where the flag is not given. UsageError for what is no time. */
export function timeOf(flag: string, text: string): number;
export function timeOf(flag: string, text: string | undefined): number | undefined;
export function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).safeParse(text);
  if (!parsed.success)
    throw new UsageError(
      `${flag} takes an ISO 8601 time such as 2026-03-01 or 2026-03-01T00:00:00Z, not "${text}".`,
    );
  return Date.parse(parsed.data);
}
