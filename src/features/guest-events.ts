/**
 * What a guest has told, until the guest logs in: the events themselves, for a record cannot be folded into another. At the
 * log-in the session is put down as the customer's in the same step that reads them: an event is either read then, or sees that
 * it is the customer's.
 */
import { z } from 'zod';
import type { ShopEvent } from '../domain/event.ts';
import { CustomerId, type SessionId } from '../domain/ids.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import type { StreamedEvent } from './apply-events.ts';
import { guestSubject, guestTtlMs } from './subject.ts';

/** The newest that are kept of a guest; the lake has them all. */
export const guestEventsMax = 500;

/** How long after the last event of a session it is known whose it is, at least. */
export const mergedTtlMs = 7 * dayMs;

/** Then events. Answers the customer whose the session is, or nothing. */
const tellScript = namedScript(
  { keys: ['owner', 'told'], args: ['ownerMs', 'toldMs', 'most'] },
  `
local customer = redis.call('GET', owner)
if customer then
  if redis.call('PTTL', owner) < tonumber(ownerMs) then redis.call('PEXPIRE', owner, ownerMs) end
  return customer
end
for i = firstOfRest, #ARGV do redis.call('RPUSH', told, ARGV[i]) end
redis.call('LTRIM', told, -tonumber(most), -1)
redis.call('PEXPIRE', told, toldMs)
return false
`,
  // As the record's: the event stream has taken the event.
  { whenFull: true },
);

/** Answers {whose it is, event …}. */
const mergeScript = namedScript(
  { keys: ['owner', 'told'], args: ['ownerMs', 'customerId'] },
  `
local customer = redis.call('GET', owner) or customerId
if customer ~= customerId then return {customer} end
redis.call('SET', owner, customer, 'PX', math.max(redis.call('PTTL', owner), tonumber(ownerMs)))
return {customer, unpack(redis.call('LRANGE', told, 0, -1))}
`,
);

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
    {
      owner: keys.mergedInto(subjectId),
      told: keys.guestEvents(subjectId),
      ownerMs: mergedTtlMs,
      toldMs: guestTtlMs,
      most: guestEventsMax,
    },
    told.map(({ event, streamId }) => JSON.stringify({ event, streamId })),
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
  const [owner, ...texts] = (await mergeScript(redis, {
    owner: keys.mergedInto(subjectId),
    told: keys.guestEvents(subjectId),
    ownerMs: mergedTtlMs,
    customerId,
  })) as Buffer[];
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
