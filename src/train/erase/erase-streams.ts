/** What waits in Redis on its way elsewhere: the event stream, what could not be read, the webhooks' outbox and queue. */
import type { Job, Queue } from 'bullmq';
import { beforeAllIds, streamIdParts } from '../../domain/stream-id.ts';
import { Notice, OutboxEntry } from '../../domain/webhook.ts';
import { isErasedEntry, readEntries, subjectOfEntry } from '../../history/event-stream.ts';
import type { ComplaintTopics } from '../../infra/complaint-topics.ts';
import { logField } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';

type StreamDeps = { redis: Redis; keys: Keys };

const entriesAtOnce = 1000;
const jobsAtOnce = 500;

export type StreamFindings = {
  entries: number;
  /** Of decisions among them. */
  decisionIds: string[];
  /** Sessions that events of the customers were told with. */
  sessionIds: string[];
  /** Customers with entries from after their erasure. */
  returned: Set<string>;
};

/** `untilOf`: by subject, until when it is erased. To be called under the drain's lock where it erases. */
export async function sweepEventStream(
  { redis, keys }: StreamDeps,
  untilOf: ReadonlyMap<string, number>,
  erase: boolean,
): Promise<StreamFindings> {
  const found: StreamFindings = { entries: 0, decisionIds: [], sessionIds: [], returned: new Set() };
  let after = beforeAllIds;
  for (;;) {
    const entries = await readEntries(redis, keys, after, entriesAtOnce);
    const last = entries.at(-1);
    if (last === undefined) return found;
    after = last.id;
    const gone: string[] = [];
    for (const one of entries) {
      const subjectId = subjectOfEntry(one);
      const until = subjectId === undefined ? undefined : untilOf.get(subjectId);
      if (subjectId === undefined || until === undefined) continue;
      if (!isErasedEntry(one, until)) {
        found.returned.add(subjectId);
        continue;
      }
      gone.push(one.id);
      if (one.entry?.kind === 'decision') found.decisionIds.push(one.entry.decision.decisionId);
      if (one.entry?.kind === 'merge') found.sessionIds.push(one.entry.sessionId);
      if (one.entry?.kind === 'event' && one.entry.event.sessionId !== undefined)
        found.sessionIds.push(one.entry.event.sessionId);
    }
    found.entries += gone.length;
    if (erase && gone.length > 0) await redis.xdel(keys.eventStream, ...gone);
  }
}

/** Entries that were put aside because they could not be read: whatever names one of the ids goes. */
export async function sweepUnreadable(
  { redis, keys }: StreamDeps,
  ids: readonly string[],
  erase: boolean,
): Promise<number> {
  const quoted = ids.map((id) => JSON.stringify(id));
  let count = 0;
  for await (const rows of pages(redis, keys.unreadableEntries)) {
    const gone = rows.filter(([, fields]) =>
      fields.some((field) =>
        quoted.some((id) => field.includes(id) || field.includes(id.replace(/"/g, '\\"'))),
      ),
    );
    count += gone.length;
    if (erase && gone.length > 0) await redis.xdel(keys.unreadableEntries, ...gone.map(([id]) => id));
  }
  return count;
}

/** Causes of theirs go; of lists of customers to be looked at, the others stay. */
export async function sweepOutbox(
  { redis, keys }: StreamDeps,
  untilOf: ReadonlyMap<string, number>,
  erase: boolean,
): Promise<number> {
  let count = 0;
  for await (const rows of pages(redis, keys.webhookOutbox))
    for (const [id, fields] of rows) {
      const entry = OutboxEntry.safeParse(jsonOf(fields[fields.indexOf(logField) + 1] ?? '')).data;
      const isTheirs = (customerId: string) => streamIdParts(id)[0] <= (untilOf.get(customerId) ?? -1);
      if (entry?.kind === 'cause') {
        if (!isTheirs(entry.customerId) && entry.cause.at > (untilOf.get(entry.customerId) ?? -1)) continue;
        count++;
        if (erase) await redis.xdel(keys.webhookOutbox, id);
      } else if (entry?.kind === 'changed') {
        const others = entry.customerIds.filter((customerId) => !isTheirs(customerId));
        if (others.length === entry.customerIds.length) continue;
        count += entry.customerIds.length - others.length;
        if (!erase) continue;
        const transaction = redis.multi().xdel(keys.webhookOutbox, id);
        if (others.length > 0)
          transaction.xadd(
            keys.webhookOutbox,
            '*',
            logField,
            JSON.stringify({ kind: 'changed', customerIds: others } satisfies OutboxEntry),
          );
        for (const [err] of (await transaction.exec()) ?? []) if (err !== null) throw err;
      }
    }
  return count;
}

/** Notices that wait, were delivered of late, or are dead. */
export async function sweepNotices(
  queue: Queue,
  topics: Pick<ComplaintTopics, 'forget'>,
  untilOf: ReadonlyMap<string, number>,
  erase: boolean,
): Promise<number> {
  const gone: { job: Job; notice: Notice }[] = [];
  const states = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as const;
  for (let start = 0; ; start += jobsAtOnce) {
    const jobs = await queue.getJobs([...states], start, start + jobsAtOnce - 1);
    for (const job of jobs) {
      const notice = job === undefined ? undefined : Notice.safeParse(job.data).data;
      if (notice === undefined) continue;
      if (Date.parse(notice.timestamp) <= (untilOf.get(notice.data.customerId) ?? -1))
        gone.push({ job, notice });
    }
    if (jobs.length === 0) break;
  }
  // One that is being sent in this moment cannot go; it is found by the next look.
  if (erase)
    for (const { job, notice } of gone) {
      await topics.forget(notice);
      await job.remove().catch(() => {});
    }
  return gone.length;
}

async function* pages(redis: Redis, stream: string): AsyncGenerator<[id: string, fields: string[]][]> {
  let after = beforeAllIds;
  for (;;) {
    const rows = await redis.xrange(stream, `(${after}`, '+', 'COUNT', entriesAtOnce);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last[0];
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
