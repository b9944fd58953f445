/**
 * Since when decisions were made by a policy that knew what is read out. Who is in which group says a hash, also of days before; only
 * the log tells that nothing was done then, and that what is read of those days is chance.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { dayMs } from '../../domain/time.ts';
import { type Lake, sqlText } from '../../history/lake.ts';
import { sqlInstant } from './sql-instant.ts';

/** How the log tells that it was known. */
export type Mark = {
  /** SQL over the `json` of a decision: it was made by a policy that knew. */
  isCarried: string;
  /** SQL over `customerId`: on whom every such decision carries it. */
  isOnThem: string;
  /** What is not known before the day `since` (YYYY-MM-DD), or to nobody yet, and what to do about it. */
  warning: (since: string | undefined) => string;
  /** Where nothing but decisions does anything: that none was made before the day `since`, or ever. undefined: something else may have. */
  idle: ((since: string | undefined) => string) | undefined;
};

/** What took some processes a while, or was decided just before, thins out nothing. */
const graceMs = dayMs;
/** A first campaign may wait for some days. */
const idleMs = 7 * dayMs;

/** `byDecisionsAlone`: what its variants change are decisions on offers, and nothing else. */
export function experimentMark(name: string, byDecisionsAlone: boolean): Omit<Mark, 'isOnThem'> {
  const text = sqlText(name);
  return {
    isCarried: `CASE WHEN contains(json, ${sqlText(JSON.stringify(name))}) THEN json_extract_string(json, '$.experiment.name') = ${text}
      OR coalesce(list_contains(json_extract_string(json, '$.furtherExperiments[*].name'), ${text}), false) ELSE false END`,
    warning: (since) =>
      since === undefined
        ? 'No decision on who takes part carries it yet: the processes that decide do not know it, and what differs until then is chance. Start them anew with this policy, ' +
          'and set its "from" to that day.'
        : `Decisions carry it only since ${since}: the policy that decided before did not know it, and these days thin out what it does. Set its "from" to ` +
          `"${since}T00:00:00Z".`,
    idle: byDecisionsAlone
      ? (since) =>
          since === undefined
            ? 'No decision is logged on who takes part: what differs is chance.'
            : `No decision was made on who takes part before ${since}: what differs until then is chance, and thins out what it does. Set its "from" to "${since}T00:00:00Z".`
      : undefined,
  };
}

export const controlGroupMark: Omit<Mark, 'isOnThem'> = {
  isCarried: `CASE WHEN contains(json, '"controlGroup":true') THEN json_extract_string(json, '$.controlGroup') = 'true' ELSE false END`,
  warning: (since) =>
    since === undefined
      ? 'No decision on who is in the control group says so yet: the processes that decide do not know of it, and what differs until then is chance. Start them anew with this ' +
        'policy, and ask from that day on.'
      : `Decisions say who is in the control group only since ${since}: before, its customers were made offers like all others, and these days thin out what offers do. Ask from that ` +
        `day on: --from ${since}, ?from=${since}.`,
  idle: (since) =>
    since === undefined
      ? 'No decision is logged on who is in the control group: what differs is chance.'
      : `No decision was made on who is in the control group before ${since}: what differs until then is chance, and thins out what offers do. Ask from that day on: --from ${since}, ` +
        `?from=${since}.`,
};

/**
 * undefined: nothing speaks against its having been known, and done something, from the start. Days from `from` to `end`, milliseconds
 * since 1970, are looked at.
 */
export async function whyThinnedOut(
  connection: DuckDBConnection,
  lake: Pick<Lake, 'from'>,
  { isCarried, isOnThem, warning, idle }: Mark,
  { from, end }: { from: number; end: number },
): Promise<string | undefined> {
  const first = async (what: string, since: number, before: number): Promise<number | undefined> => {
    const read = await connection.runAndReadAll(
      `SELECT epoch_ms(min(decidedAt))::DOUBLE FROM ${lake.from('decisions')}
       WHERE customerId IS NOT NULL AND decidedAt >= ${sqlInstant(since)} AND decidedAt < ${sqlInstant(before)} AND ${what}`,
    );
    const at = read.value(0, 0);
    return typeof at === 'number' ? at : undefined;
  };
  // The JSON of all decisions is much to read, and of most readouts that of the first day is enough.
  const began = await first(isOnThem, from, end);
  const hasIdled = (began ?? end) - from > idleMs ? idle?.(dayOf(began)) : undefined;
  if (began === undefined || end - began <= graceMs) return hasIdled;
  const onThem = `${isOnThem} AND ${isCarried}`;
  if ((await first(onThem, began, began + graceMs)) !== undefined) return hasIdled;
  return warning(dayOf(await first(onThem, began + graceMs, end)));
}

function dayOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 10);
}
