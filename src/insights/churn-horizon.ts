/** Whether days are enough to know that anybody has left: a customer counts as lost after a horizon without a purchase. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Lake } from '../history/lake.ts';
import {
  horizonDaysOf,
  longestHorizonDays,
  readOrderRhythm,
  shortestHorizonDays,
} from '../history/order-rhythm.ts';

/**
 * Why nobody can be known to have left within `days` days that end at `end` (milliseconds since 1970); undefined where it can be
 * known. The horizon is that of the churn model, by the orders before `end`; of a history too short for one, the least that there is.
 */
export async function whyChurnUnknown(
  lake: Pick<Lake, 'from'>,
  connection: DuckDBConnection,
  days: number,
  end: number,
): Promise<string | undefined> {
  if (days >= longestHorizonDays) return undefined;
  const rhythm = await readOrderRhythm({ from: lake.from, connection }, end);
  if (rhythm === undefined) return undefined;
  const horizonDays = horizonDaysOf(rhythm) ?? shortestHorizonDays;
  if (days >= horizonDays) return undefined;
  return `churnRate is not known: a customer of this shop counts as lost after ${horizonDays} days without a purchase, and these are ${Math.floor(days)}.`;
}
