/** Margin over price of each item, as the catalogue in the lake says it now. */
import type { Lake } from '../../history/lake.ts';

/** Columns: itemId, share (0 to 1). Items of which the catalogue does not tell are left out. */
export function itemMarginsQuery(lake: Pick<Lake, 'from'>): string {
  return `
    SELECT itemId, least(1, margin / price) AS share
    FROM (
      SELECT itemId, json_extract(json, '$.priceMinor')::DOUBLE AS price, json_extract(json, '$.marginMinor')::DOUBLE AS margin
      FROM (SELECT itemId, arg_max(json, updatedAt) AS json FROM ${lake.from('items')} GROUP BY itemId))
    WHERE price > 0 AND margin IS NOT NULL`;
}
