/** What each item usually costs, as it was sold. */
import { type Lake, queryChunks } from './lake.ts';

/**
 * Median unit price (minor units) of the sales before `before` (milliseconds since 1970), aligned with `itemIds`; 0 where
 * no sale named a price.
 */
export async function loadItemPrices(
  lake: Lake,
  itemIds: readonly string[],
  before: number,
): Promise<Float64Array> {
  const prices = new Float64Array(itemIds.length);
  const indexOf = new Map(itemIds.map((id, i) => [id, i]));
  const query = `SELECT itemId, median(unitPriceMinor)::DOUBLE FROM ${lake.from('events')}
    WHERE type = 'purchase' AND itemId IS NOT NULL AND unitPriceMinor > 0
      AND occurredAt < make_timestamp(${BigInt(Math.ceil(before)) * 1000n})
    GROUP BY itemId`;
  for await (const chunk of queryChunks(lake.connection, query)) {
    const ids = chunk.getColumnVector(0);
    const medians = chunk.getColumnVector(1);
    for (let r = 0; r < chunk.rowCount; r++) {
      const index = indexOf.get(String(ids.getItem(r)));
      if (index !== undefined) prices[index] = Number(medians.getItem(r));
    }
  }
  return prices;
}
