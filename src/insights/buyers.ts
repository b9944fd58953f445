/** One row a customer who has ever bought: how often and for how much, before the period, in it and in all. */
import { CHANNELS } from '../domain/channel.ts';
import { type Period, sqlDay } from './period.ts';

/**
 * Columns: customerId, firstDay; lastBefore, daysBefore, netBefore (purchases before the period); wasActive (bought in the
 * previous period); daysIn, netIn (within the period); netAll (until its end); channel (of most purchases before the
 * period, of the first one for who came later); knownUntil, the instant up to which a customer's standing counts: the start
 * of the period, or the end of the day of the first purchase.
 */
export function buyersQuery(purchaseDays: string, { previousFrom, from }: Period): string {
  const before = `bought AND day < ${sqlDay(from)}`;
  const counts = CHANNELS.map((channel) => `count(*) FILTER (${before} AND channel = '${channel}')`);
  const names = CHANNELS.map((channel) => `'${channel}'`);
  return `
    SELECT * EXCLUDE (channelCounts, firstChannel),
      CASE WHEN daysBefore > 0
        THEN list_extract([${names.join(', ')}], list_position(channelCounts, list_max(channelCounts))::BIGINT)
        ELSE firstChannel END AS channel,
      greatest(${sqlDay(from)}, firstDay + 1)::TIMESTAMP AS knownUntil
    FROM (
      SELECT customerId,
        min(day) FILTER (bought) AS firstDay,
        max(day) FILTER (${before}) AS lastBefore,
        count(*) FILTER (${before}) AS daysBefore,
        coalesce(sum(netMinor) FILTER (day < ${sqlDay(from)}), 0) AS netBefore,
        bool_or(${before} AND day >= ${sqlDay(previousFrom)}) AS wasActive,
        count(*) FILTER (bought AND day >= ${sqlDay(from)}) AS daysIn,
        coalesce(sum(netMinor) FILTER (day >= ${sqlDay(from)}), 0) AS netIn,
        sum(netMinor) AS netAll,
        arg_min(channel, day) FILTER (bought) AS firstChannel,
        [${counts.join(', ')}] AS channelCounts
      FROM ${purchaseDays} GROUP BY customerId)
    WHERE firstDay IS NOT NULL`;
}
