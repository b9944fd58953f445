/**
 * What a guest has told, until the guest logs in: the events themselves, for a record cannot be folded into another. At the log-in the
 * session is put down as the customer's in the same step that reads them: an event is either read then, or sees that it is the customer's.
 */
import { z } from 'zod';
import type { ShopEvent } from '../domain/event.ts';
import { CustomerId, type SessionId } from '../domain/ids.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';
import type { StreamedEvent } from './record-store.ts';
import { guestSubject, guestTtlMs } from './subject.ts';

/** The newest that are kept of a guest; the lake has them all. */
export const guestEventsMax = 500;

/** How long after the last event of a session it is known whose it is, at least. */
export const mergedTtlMs = 7 * dayMs;

/** KEYS: whose it is, the events. ARGV: lifetimes of either, most events, then events. Answers the customer, or nothing. */
const tellScript = redisScript(
  `
local customer = redis.call('GET', KEYS[1])
if customer then
  if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  return customer
end
for i = 4, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return false
`,
  // As the record's: the event stream has taken the event.
  { whenFull: true },
);

/** KEYS: likewise. ARGV: lifetime, the customer. Answers {whose it is, event …}. */
const mergeScript = redisScript(`
local customer = redis.call('GET', KEYS[1]) or ARGV[2]
if customer ~= ARGV[2] then return {customer} end
redis.call('SET', KEYS[1], customer, 'PX', math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])))
return {customer, unpack(redis.call('LRANGE', KEYS[2], 0, -1))}
`);

const Told = z.object({ event: z.looseObject({ eventId: z.string() }), streamId: z.string() });

type GuestDeps = { redis: Redis; keys: Keys };

/** Keeps what a guest has told. Answers the customer instead, where the guest has logged in. */
export async function keepGuestEvents(
  subjectId: string,
  told: readonly StreamedEvent[],
  { redis, keys }: GuestDeps,
): Promise<CustomerId | undefined> {
  const customer = (await tellScript(
    redis,
    [keys.mergedInto(subjectId), keys.guestEvents(subjectId)],
    [
      mergedTtlMs,
      guestTtlMs,
      guestEventsMax,
      ...told.map(({ event, streamId }) => JSON.stringify({ event, streamId })),
    ],
  )) as Buffer | null;
  return customer === null ? undefined : CustomerId.parse(customer.toString());
}

/** Puts the session down as the customer's, and answers what its guest has told; undefined: it is another customer's. */
export async function takeGuestEvents(
  sessionId: SessionId,
  customerId: CustomerId,
  { redis, keys }: GuestDeps,
): Promise<StreamedEvent[] | undefined> {
  const subjectId = guestSubject(sessionId);
  const [owner, ...texts] = (await mergeScript(
    redis,
    [keys.mergedInto(subjectId), keys.guestEvents(subjectId)],
    [mergedTtlMs, customerId],
  )) as Buffer[];
  if (owner?.toString() !== customerId) return undefined;
  return texts.flatMap((text) => {
    const parsed = Told.safeParse(JSON.parse(text.toString()));
    if (!parsed.success) return [];
    const { event, streamId } = parsed.data;
    return [{ event: asCustomer(event as unknown as ShopEvent, customerId), streamId }];
  });
}

/** The customer whom the session's guest has turned out to be; undefined: a guest still, or it is no longer known. */
export async function customerOfSession(
  sessionId: SessionId,
  { redis, keys }: GuestDeps,
): Promise<CustomerId | undefined> {
  const customerId = await redis.get(keys.mergedInto(guestSubject(sessionId)));
  return customerId === null ? undefined : CustomerId.parse(customerId);
}

export function asCustomer(event: ShopEvent, customerId: CustomerId): ShopEvent {
  return { ...event, customerId };
}
