import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { addWhenFull } from '../infra/redis-script.ts';

/**
 * Has the records of these customers (no guests: the history rebuilds none) built anew from the history. In a full Redis too: the drain,
 * which alone makes room there, waits for it.
 */
export async function putDownForRebuild(
  redis: Redis,
  keys: Keys,
  customerIds: Iterable<string>,
): Promise<void> {
  await addWhenFull(redis, keys.staleCustomers, customerIds);
}
