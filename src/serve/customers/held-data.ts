/**
 * Everything that is held of a customer, as one JSON document that is written as it is read: events of ten years need not fit into
 * memory. What waits in the event stream is read before the lake, so that nothing is missed that the worker moves meanwhile.
 */
import type { Job } from 'bullmq';
import { isOut, parseBudgetEntry } from '../../decide/ledger/budget-entry.ts';
import type { ContactLedger } from '../../decide/ledger/contact-ledger.ts';
import { AppError } from '../../domain/errors.ts';
import type { ShopEvent } from '../../domain/event.ts';
import type { CustomerId, SessionId } from '../../domain/ids.ts';
import { beforeAllIds } from '../../domain/stream-id.ts';
import { Notice, OutboxEntry, withTopic } from '../../domain/webhook.ts';
import { namedFeatures } from '../../features/named-features.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { guestSubject } from '../../features/subject.ts';
import { createUnframer } from '../../history/decision-frames.ts';
import { linkedSessions } from '../../history/erase-lake.ts';
import { readEntries, type StreamEntry, subjectOfEntry } from '../../history/event-stream.ts';
import { type Lake, openLake, sqlText } from '../../history/lake.ts';
import { type EventRow, rowsToEvent } from '../../history/lake-rows.ts';
import { fromSnapshot, SCORE_COLUMNS, snapshotIds } from '../../history/score-snapshots.ts';
import { askQueue } from '../../infra/asked-queue.ts';
import { createComplaintTopics } from '../../infra/complaint-topics.ts';
import { logField } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Redis } from '../../infra/redis.ts';
import { webhookQueueName } from '../../infra/webhook-queue.ts';
import { firstFetched } from '../first-fetched.ts';

export type HeldData = {
  /** Rejects with TOO_MANY_REQUESTS while others are being written, with STORE_UNAVAILABLE where Redis is away. */
  export: (customerId: CustomerId, now: number) => Promise<AsyncIterable<string, undefined>>;
};

type HeldDeps = {
  dataDir: string;
  redis: Redis;
  queueUrl: string;
  keys: Keys;
  records: Pick<RecordStore, 'read'>;
  contacts: Pick<ContactLedger, 'read'>;
  log: Logger;
};

const atOnce = 2;
const entriesAtOnce = 1000;
const jobsAtOnce = 500;
const memoryMb = 256;
/** Characters that are put together before they are handed on. */
const chunkLength = 65_536;

export function createHeldData(deps: HeldDeps): HeldData & { close: () => Promise<void> } {
  const queue = askQueue(deps.queueUrl, webhookQueueName, deps.keys, deps.log);
  let opening: Promise<Lake> | undefined;
  let running = 0;
  const open = (): Promise<Lake> => {
    opening ??= openLake(deps.dataDir, { threads: 1, memoryMb }).catch((err: unknown) => {
      opening = undefined;
      throw err;
    });
    return opening;
  };
  return {
    async export(customerId, now) {
      if (running >= atOnce)
        throw new AppError('TOO_MANY_REQUESTS', {
          public: "Others' data are being written; try again shortly.",
          retryAfterSeconds: 5,
        });
      running++;
      let done = false;
      const giveBack = () => {
        if (!done) running--;
        done = true;
      };
      try {
        // Before anything is answered: a Redis that is away is a 503, not half a document.
        const lake = await open();
        const sessionIds = new Set(await linkedSessions(lake, customerId));
        const waiting = await waitingEntries(deps, customerId, sessionIds);
        const [record, { history }, sessions] = await Promise.all([
          deps.records.read(customerId),
          deps.contacts.read(customerId),
          guestRecords(deps, [...sessionIds], now),
        ]);
        const theirs = isTheirs(customerId, sessionIds);
        const parts = (async function* (): AsyncGenerator<string, undefined> {
          try {
            const about = { customerId, exportedAt: new Date(now).toISOString() };
            yield `${JSON.stringify(about).slice(0, -1)},"record":${JSON.stringify(record === undefined ? null : recordForm(record, now))}`;
            yield `,"sessions":${JSON.stringify(sessions)}`;
            yield `,"contacts":${JSON.stringify(history)}`;
            yield* list('reservations', reservations(deps, lake, theirs, waiting.decisions));
            yield* list('scores', scores(lake, deps.dataDir, customerId));
            yield* list('notices', notices(deps, queue.use, customerId));
            yield* list('events', events(lake, theirs, waiting.events));
            yield* list('decisions', decisions(lake, theirs, waiting.decisions));
            yield '}';
          } finally {
            giveBack();
          }
        })();
        // A generator that has not begun ends without its `finally`: of a client that is gone by now, the place would be lost.
        return await firstFetched(joined(parts));
      } catch (err) {
        giveBack();
        throw err;
      }
    },
    close: async () => {
      await queue.close();
      (await opening?.catch(() => undefined))?.close();
    },
  };
}

/** Of guests, whose records are kept for a day. */
async function guestRecords(
  { records }: Pick<HeldDeps, 'records'>,
  sessionIds: readonly SessionId[],
  now: number,
) {
  const found: { sessionId: SessionId; record: ReturnType<typeof recordForm> | null }[] = [];
  for (const sessionId of sessionIds) {
    const record = await records.read(guestSubject(sessionId));
    found.push({ sessionId, record: record === undefined ? null : recordForm(record, now) });
  }
  return found;
}

function recordForm(record: CustomerRecord, now: number) {
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    attributes: record.attributes,
    features: namedFeatures(record, now),
    purchasedItems: [...record.items.values()],
    recentViews: record.recentViews,
    categories: record.categories,
    offerAnswers: record.offerAnswers,
    lowRatings: record.ratingLows,
    firstEventAt: at(record.firstAt),
    lastEventAt: at(record.lastAt),
    eventCount: record.eventCount,
  };
}

type Waiting = {
  events: Map<string, ShopEvent>;
  decisions: Map<string, { decisionId: string; placements: { offers: { offerId: string }[] }[] }>;
};

/** What is on its way into the lake of the customer and of guests in the customer's sessions, to which it adds those that it finds. */
async function waitingEntries(
  deps: Pick<HeldDeps, 'redis' | 'keys'>,
  customerId: CustomerId,
  sessionIds: Set<SessionId>,
): Promise<Waiting> {
  // First, for what a guest has told comes before what tells who that was.
  for await (const { entry } of streamEntries(deps)) {
    const about = entry?.kind === 'event' ? entry.event : entry?.kind === 'decision' ? entry.decision : entry;
    if (about === undefined || !('sessionId' in about) || about.sessionId === undefined) continue;
    if (about.customerId === customerId) sessionIds.add(about.sessionId);
  }
  const theirs = new Set<string>([customerId, ...[...sessionIds].map(guestSubject)]);
  const waiting: Waiting = { events: new Map(), decisions: new Map() };
  for await (const one of streamEntries(deps)) {
    if (!theirs.has(subjectOfEntry(one) ?? '')) continue;
    const { entry } = one;
    if (entry?.kind === 'event') waiting.events.set(entry.event.eventId, entry.event);
    else if (entry?.kind === 'decision') waiting.decisions.set(entry.decision.decisionId, entry.decision);
  }
  return waiting;
}

async function* streamEntries({
  redis,
  keys,
}: Pick<HeldDeps, 'redis' | 'keys'>): AsyncGenerator<StreamEntry> {
  for (let after = beforeAllIds; ; ) {
    const entries = await readEntries(redis, keys, after, entriesAtOnce);
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** SQL: the customer's rows, and those of guests in these sessions. */
function isTheirs(customerId: CustomerId, sessionIds: ReadonlySet<SessionId>): string {
  const customers = `"customerId" = ${sqlText(customerId)}`;
  if (sessionIds.size === 0) return customers;
  const sessions = [...sessionIds].map(sqlText).join(', ');
  return `(${customers} OR ("customerId" IS NULL AND "sessionId" IN (${sessions})))`;
}

/** In the order of time; then those that the lake does not have yet. */
async function* events(
  lake: Lake,
  theirs: string,
  waiting: ReadonlyMap<string, ShopEvent>,
): AsyncGenerator<ShopEvent> {
  const left = new Map(waiting);
  const query = `SELECT "eventId", line, type, "customerId", "sessionId", epoch_ms("occurredAt")::DOUBLE AS "occurredAt", channel, "orderId",
      "itemId", category, quantity, "unitPriceMinor"::DOUBLE AS "unitPriceMinor", "discountMinor"::DOUBLE AS "discountMinor", detail
    FROM ${lake.from('events')} WHERE ${theirs} ORDER BY "occurredAt", "eventId", line`;
  let rows: EventRow[] = [];
  for await (const row of rowsOf<EventRow>(lake, query)) {
    const [first] = rows;
    if (first !== undefined && (first.eventId !== row.eventId || first.occurredAt !== row.occurredAt)) {
      left.delete(first.eventId);
      yield rowsToEvent(rows);
      rows = [];
    }
    // A line that comes again belongs to a repeat whose marker had expired.
    if (row.line !== rows.at(-1)?.line) rows.push(row);
  }
  if (rows[0] !== undefined) {
    left.delete(rows[0].eventId);
    yield rowsToEvent(rows);
  }
  yield* left.values();
}

async function* decisions(
  lake: Lake,
  theirs: string,
  waiting: Waiting['decisions'],
): AsyncGenerator<unknown> {
  const left = new Map(waiting);
  const query = `SELECT any_value(json) AS json, "decisionId" FROM ${lake.from('decisions')}
    WHERE ${theirs} GROUP BY "decisionId", "decidedAt" ORDER BY "decidedAt", "decisionId"`;
  const unframer = createUnframer(lake, lake.connection);
  for await (const { json, decisionId } of rowsOf<{ json: string; decisionId: string }>(lake, query)) {
    left.delete(decisionId);
    yield* await unframer.unframe([json]);
  }
  yield* left.values();
}

/** What is out or spent of offers' budgets for the customer's decisions. */
async function* reservations(
  { redis, keys }: Pick<HeldDeps, 'redis' | 'keys'>,
  lake: Lake,
  theirs: string,
  waiting: Waiting['decisions'],
): AsyncGenerator<object> {
  const of = async function* (decisionId: string, offerIds: readonly string[]) {
    for (const offerId of offerIds) {
      const entry = parseBudgetEntry(await redis.hget(keys.budgetReservations(offerId), decisionId));
      if (entry === undefined) continue;
      const { period, costMinor } = entry;
      const state = isOut(entry) ? 'reserved' : entry.state;
      yield { offerId, decisionId, state, period, costMinor };
    }
  };
  const query = `SELECT "decisionId", to_json(list_distinct(flatten(list(
      json_extract_string(json, '$.placements[*].offers[*].offerId')))))::VARCHAR AS offers
    FROM ${lake.from('decisions')} WHERE ${theirs} GROUP BY "decisionId" ORDER BY "decisionId"`;
  for await (const { decisionId, offers } of rowsOf<{ decisionId: string; offers: string }>(lake, query))
    if (!waiting.has(decisionId)) yield* of(decisionId, JSON.parse(offers));
  for (const { decisionId, placements } of waiting.values())
    yield* of(decisionId, [
      ...new Set(placements.flatMap(({ offers }) => offers.map(({ offerId }) => offerId))),
    ]);
}

async function* scores(lake: Lake, dataDir: string, customerId: CustomerId): AsyncGenerator<object> {
  for (const snapshot of await snapshotIds(dataDir)) {
    const columns = SCORE_COLUMNS.map((name) => `"${name}"`).join(', ');
    const query = `SELECT ${columns} FROM ${fromSnapshot(dataDir, snapshot)} WHERE "customerId" = ${sqlText(customerId)}`;
    for await (const row of rowsOf<Record<string, unknown>>(lake, query)) yield { snapshot, ...row };
  }
}

/** Causes that wait to become notices, and notices that wait, were delivered of late, or are dead. */
async function* notices(
  { redis, keys }: Pick<HeldDeps, 'redis' | 'keys'>,
  use: ReturnType<typeof askQueue>['use'],
  customerId: CustomerId,
): AsyncGenerator<unknown> {
  const topics = createComplaintTopics(redis, keys);
  let after = beforeAllIds;
  for (;;) {
    const rows = await redis.xrange(keys.webhookOutbox, `(${after}`, '+', 'COUNT', entriesAtOnce);
    for (const [, fields] of rows) {
      const entry = OutboxEntry.safeParse(jsonOf(fields[fields.indexOf(logField) + 1] ?? '')).data;
      if (entry?.kind === 'cause' && entry.customerId === customerId)
        yield { state: 'waiting', cause: entry.cause };
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last[0];
  }
  for (const state of ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as const)
    for (let start = 0; ; start += jobsAtOnce) {
      const jobs: Job[] = await use((queue) => queue.getJobs([state], start, start + jobsAtOnce - 1));
      for (const job of jobs) {
        const notice = job === undefined ? undefined : Notice.safeParse(job.data).data;
        if (notice?.data.customerId === customerId)
          yield { state, notice: withTopic(notice, await topics.find(notice)) };
      }
      if (jobs.length === 0) break;
    }
}

/** Rows as objects, as they come. */
async function* rowsOf<T>(lake: Lake, query: string): AsyncGenerator<T> {
  const connection = await lake.connect();
  try {
    const result = await connection.stream(query);
    const names = result.columnNames();
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const values of chunk.getRows())
        yield Object.fromEntries(names.map((name, c) => [name, values[c] ?? null])) as T;
    }
  } finally {
    connection.closeSync();
  }
}

async function* list(name: string, values: AsyncIterable<unknown>): AsyncGenerator<string> {
  let comma = '';
  yield `,${JSON.stringify(name)}:[`;
  for await (const value of values) {
    yield `${comma}${JSON.stringify(value)}`;
    comma = ',';
  }
  yield ']';
}

async function* joined(parts: AsyncGenerator<string, undefined>): AsyncGenerator<string, undefined> {
  let text = '';
  for await (const part of parts) {
    text += part;
    if (text.length < chunkLength) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
