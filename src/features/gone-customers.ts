/**
 * Customers whose record was let go because they had been silent for long. Whoever would begin a record for one of them, as for
 * somebody new, has to know that there is more in the lake. Kept as whole numbers, which hashes of their ids are, in sets of
 * some hundreds, where each takes eight bytes. Two of one number do no harm: a rebuild in vain.
 */
import { hash } from 'node:crypto';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { callWhenFull } from '../infra/redis-script.ts';

type GoneDeps = { redis: Redis; keys: Pick<Keys, 'goneCustomers'> };

/** Of the digest, in hexadecimal: 4,096 sets, and numbers of 48 bits. */
const setDigits = 3;
const numberDigits = 12;

function placeOf(customerId: string): { set: string; number: number } {
  const digest = hash('sha256', customerId, 'hex');
  const set = digest.slice(0, setDigits);
  return { set, number: Number.parseInt(digest.slice(setDigits, setDigits + numberDigits), 16) };
}

export async function markGone(customerIds: readonly string[], { redis, keys }: GoneDeps): Promise<void> {
  await Promise.all(
    customerIds.map((customerId) => {
      const { set, number } = placeOf(customerId);
      // Their records go then: a full Redis takes it.
      return callWhenFull(redis, 'SADD', keys.goneCustomers(set), number);
    }),
  );
}

export async function isGone(customerId: string, { redis, keys }: GoneDeps): Promise<boolean> {
  const { set, number } = placeOf(customerId);
  return (await redis.sismember(keys.goneCustomers(set), number)) === 1;
}

/** Answers whether there was a mark. */
export async function unmarkGone(customerId: string, { redis, keys }: GoneDeps): Promise<boolean> {
  const { set, number } = placeOf(customerId);
  return (await redis.srem(keys.goneCustomers(set), number)) === 1;
}
