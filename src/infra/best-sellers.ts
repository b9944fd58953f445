/** The shop's best sellers in Redis: the worker counts them, and the service answers by them as long as there is no model. */
import { z } from 'zod';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

const BestSellers = z.array(
  z.object({
    itemId: z.string(),
    /** Of all that is sold, recent sales counting more: 0 to 1. */
    share: z.number(),
  }),
);
export type BestSeller = z.output<typeof BestSellers>[number];

/** Best first. */
export async function writeBestSellers(
  redis: Redis,
  keys: Pick<Keys, 'bestSellers'>,
  found: readonly BestSeller[],
): Promise<void> {
  await redis.set(keys.bestSellers, JSON.stringify(found));
}

/** undefined: nobody has counted them, or they are of another layout. Rejects when Redis is away. */
export async function readBestSellers(
  redis: Redis,
  keys: Pick<Keys, 'bestSellers'>,
): Promise<BestSeller[] | undefined> {
  const text = await redis.get(keys.bestSellers);
  return text === null ? undefined : BestSellers.safeParse(parsedOrNull(text)).data;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
