/** What sells best in the shop, from counts alone: as popularity of the collaborative model counts, but for guests, who count too. */

import { dayMs } from '../domain/time.ts';
import type { BestSeller } from '../infra/best-sellers.ts';
import { type Lake, queryChunks } from './lake.ts';
import { purchaseQuery } from './purchase-queries.ts';

/**
 * The (at most) `max` items of most purchases before `before` (milliseconds since 1970), best first, ties by id; none without
 * purchases. An item counts once an order; an order that is `halfLifeDays` old counts half, and what a customer sent back
 * altogether not at all.
 */
export async function bestSellers(
  lake: Lake,
  { before, halfLifeDays, max }: { before: number; halfLifeDays: number; max: number },
): Promise<BestSeller[]> {
  const purchases = purchaseQuery(lake, { before, excludeReturned: true, withGuests: true });
  const age = `(${Math.ceil(before)} - epoch_ms(boughtAt))`;
  const query = `
    SELECT itemId, weight / sum(weight) OVER () AS share
    FROM (
      SELECT itemId, sum(pow(2, -${age} / ${halfLifeDays * dayMs}::DOUBLE)) AS weight
      FROM (${purchases}) GROUP BY itemId)
    ORDER BY share DESC, itemId LIMIT ${Math.ceil(max)}`;
  const found: BestSeller[] = [];
  for await (const chunk of queryChunks(lake.connection, query)) {
    const ids = chunk.getColumnVector(0);
    const shares = chunk.getColumnVector(1);
    for (let r = 0; r < chunk.rowCount; r++)
      found.push({ itemId: String(ids.getItem(r)), share: Number(shares.getItem(r)) });
  }
  return found;
}
