/**
 * The outbox of webhooks: a stream beside the records, for what is to be told and what is to be looked at. What the drain has
 * put in is safe before the drain lets go of its events; `forward.ts` brings it into the queue, which may be away meanwhile.
 */
import type { ShopEvent } from '../../domain/event.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { OutboxEntry } from '../../domain/webhook.ts';
import type { WebhookConfig } from '../../infra/config.ts';
import { logField } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { redisScript } from '../../infra/redis-script.ts';
import { causeOf } from '../../webhooks/event-cause.ts';

export type OutboxDeps = { redis: Redis; keys: Keys };

const customersInEntry = 500;
/** From here on, changed customers are left to the nightly scoring. */
const busyLength = 10_000;
/** From here on nothing is taken: the drain waits, and nothing of it is lost. */
const fullLength = 100_000;

/** KEYS: the outbox. ARGV: the field, then entries. All or none. */
const putScript = redisScript(`for i = 2, #ARGV do redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[i]) end`, {
  whenFull: true,
});

export type ReadOutboxEntry = {
  id: string;
  /** undefined: it cannot be read here. */
  entry: OutboxEntry | undefined;
  text: string;
};

/**
 * What the drain does with each batch of events before it writes them: puts their causes into the outbox, and their
 * customers, whose risk has changed. Done again with the same events (a drain that was killed), it tells of the same causes.
 */
export function tellOfEvents(
  { redis, keys }: OutboxDeps,
  { ratingBelow }: Pick<WebhookConfig, 'ratingBelow'>,
): (events: readonly ShopEvent[]) => Promise<void> {
  return async (events) => {
    const entries: OutboxEntry[] = [];
    const changed = new Set<CustomerId>();
    for (const event of events) {
      if (event.customerId === undefined) continue;
      changed.add(event.customerId);
      const cause = causeOf(event, ratingBelow);
      if (cause !== undefined) entries.push({ kind: 'cause', customerId: event.customerId, cause });
    }
    const length = await outboxLength({ redis, keys });
    if (length >= fullLength && entries.length > 0)
      throw new Error(
        `the outbox of webhooks holds ${length} entries: is the Redis of the queue (QUEUE_REDIS_URL) in reach of a worker?`,
      );
    if (length < busyLength) {
      const customerIds = [...changed];
      for (let start = 0; start < customerIds.length; start += customersInEntry)
        entries.push({ kind: 'changed', customerIds: customerIds.slice(start, start + customersInEntry) });
    }
    // The drain waits for it, and makes room: a full Redis takes it.
    if (entries.length > 0)
      await putScript(
        redis,
        [keys.webhookOutbox],
        [logField, ...entries.map((entry) => JSON.stringify(entry))],
      );
  };
}

/** All or none. `also` adds commands to the same transaction, on keys of the outbox's hash tag. */
export async function putIntoOutbox(
  { redis, keys }: OutboxDeps,
  entries: readonly OutboxEntry[],
  also: (transaction: ReturnType<Redis['multi']>) => void = () => {},
): Promise<void> {
  const transaction = redis.multi();
  for (const entry of entries) transaction.xadd(keys.webhookOutbox, '*', logField, JSON.stringify(entry));
  also(transaction);
  if (transaction.length === 0) return;
  for (const [err] of (await transaction.exec()) ?? []) if (err !== null) throw err;
}

/** The first `count` entries, oldest first. */
export async function readOutbox({ redis, keys }: OutboxDeps, count: number): Promise<ReadOutboxEntry[]> {
  const rows = await redis.xrange(keys.webhookOutbox, '-', '+', 'COUNT', count);
  return rows.map(([id, fields]) => {
    const text = fields[fields.indexOf(logField) + 1] ?? '';
    return { id, entry: parseEntry(text), text };
  });
}

export async function outboxLength({ redis, keys }: OutboxDeps): Promise<number> {
  return redis.xlen(keys.webhookOutbox);
}

function parseEntry(text: string): OutboxEntry | undefined {
  try {
    return OutboxEntry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
