/** The shop's own segments: who the CRM says is in each. */
import type { Lake } from './lake.ts';

export type ShopSegment = { name: string; customers: number };

/** By the last segment that each customer was given; the largest first, at most `max`. */
export async function shopSegments(
  { connection, from }: Pick<Lake, 'connection' | 'from'>,
  max: number,
): Promise<ShopSegment[]> {
  const reader = await connection.runAndReadAll(`
    SELECT segment AS name, count(*)::DOUBLE AS customers
    FROM (
      SELECT customerId, arg_max(segment, occurredAt) AS segment
      FROM (
        SELECT customerId, occurredAt, json_extract_string(detail, '$.attributes.segment') AS segment
        FROM ${from('events')} WHERE type = 'customerUpdated' AND customerId IS NOT NULL)
      WHERE segment IS NOT NULL GROUP BY customerId)
    GROUP BY segment ORDER BY customers DESC, name LIMIT ${max}`);
  return reader.getRowObjects() as ShopSegment[];
}
