/** Pages of the newest snapshot of everybody's scores, by a DuckDB that is opened by the first question. */
import type { RfmSegment } from '../../algorithms/customer-value/rfm-segment.ts';
import type { Channel } from '../../domain/channel.ts';
import { AppError } from '../../domain/errors.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { isUnreadablePart } from '../../history/damaged-parts.ts';
import { type Lake, openLake, sqlText } from '../../history/lake.ts';
import {
  fromSnapshot,
  readSnapshot,
  SCORE_COLUMNS,
  type ScoreRow,
  type Snapshot,
} from '../../history/score-snapshots.ts';
import { channelBit } from '../../offers/may-address.ts';
import type { Cursor } from './cursor.ts';

export const CUSTOMER_SORTS = ['risk', 'value', 'valueAtRisk', 'nextPurchase', 'customerId'] as const;
export type CustomerSort = (typeof CUSTOMER_SORTS)[number];

export type ScoreQuestion = {
  segments: readonly RfmSegment[];
  riskAbove: number | undefined;
  valueAbove: number | undefined;
  /** Only those who could be addressed there when they were scored. */
  channel: Channel | undefined;
  sort: CustomerSort;
  limit: number;
  /** Absent: from the beginning of the newest snapshot. */
  after: Pick<Cursor, 'snapshot' | 'key' | 'customerId'> | undefined;
};

export type ScoredCustomer = ScoreRow & { customerId: CustomerId };

export type ScorePage = {
  snapshot: Snapshot;
  rows: ScoredCustomer[];
  /** Of a first page that is empty: how many of the scored each filter holds for by itself. */
  alone?: FilterCounts;
  /** Undefined: this was the last page. */
  next: Pick<Cursor, 'key' | 'customerId'> | undefined;
  /** To be called once the rows are done with: until then the page counts among those that are answered at once. */
  release: () => void;
};

/** Customers for whom a filter that was asked for holds, whatever the others say. */
export type FilterCounts = Partial<Record<'segments' | 'riskAbove' | 'valueAbove' | 'channel', number>>;

export type ScoreReader = {
  /**
   * AppError CONFLICT where nobody has been scored yet, GONE where the snapshot of the cursor is no longer kept,
   * TOO_MANY_REQUESTS where too many ask at once, LAKE_UNREADABLE where a file of the snapshot is damaged.
   */
  page: (question: ScoreQuestion) => Promise<ScorePage>;
  close: () => Promise<void>;
};

/** Ascending. What is unknown comes last. */
const sortKeys: Readonly<Record<CustomerSort, string>> = {
  risk: 'coalesce(-risk, 1e300)',
  value: 'coalesce(-"valueMinor", 1e300)',
  valueAtRisk: 'coalesce(-risk * "valueMinor", 1e300)',
  nextPurchase: 'coalesce("nextPurchaseAt", 1e300)',
  customerId: '0.0',
};
const memoryMb = 256;
const atOnce = 2;
/** Asked for, waiting, or on their way to a reader, who may be slow: each holds up to 15 MB. */
const pagesMax = 16;

/** `atLake` counts its pages until they are released. */
export function createScoreReader(dataDir: string, atLake: { value: number }): ScoreReader {
  let opening: Promise<Lake> | undefined;
  let running = 0;
  let pages = 0;
  const waiting: (() => void)[] = [];
  const open = (): Promise<Lake> => {
    opening ??= openLake(dataDir, { threads: 1, memoryMb }).catch((err: unknown) => {
      opening = undefined;
      throw err;
    });
    return opening;
  };

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // Whoever waits takes this place.
      const first = waiting.shift();
      if (first === undefined) running--;
      else first();
    }
  }

  /** Answers what gives the place back, once. */
  function takePlace(): () => void {
    if (pages >= pagesMax)
      throw new AppError('TOO_MANY_REQUESTS', {
        public: 'Too many lists of customers are asked for at once; try again shortly.',
        retryAfterSeconds: 1,
      });
    pages++;
    atLake.value++;
    let held = true;
    return () => {
      if (!held) return;
      pages--;
      atLake.value--;
      held = false;
    };
  }

  async function read(question: ScoreQuestion): Promise<Omit<ScorePage, 'release'>> {
    const snapshot = await readSnapshot(dataDir, question.after?.snapshot);
    if (snapshot === undefined) throw missing(question);
    const lake = await open();
    const scores = fromSnapshot(dataDir, snapshot.id);
    const reader = await lake.connection
      .runAndReadAll(pageQuery(scores, question))
      .catch(async (err: unknown) => {
        // It may have been cleared in this very moment.
        if ((await readSnapshot(dataDir, snapshot.id)) === undefined) throw missing(question);
        if (!isUnreadablePart(err)) throw err;
        throw new AppError('LAKE_UNREADABLE', {
          public:
            'The scores cannot be read: the job score-customers (POST /jobs) makes them anew. Begin again without a cursor.',
          internal: `the snapshot of scores ${snapshot.id} cannot be read`,
          retryAfterSeconds: 60,
          cause: err,
        });
      });
    const values = reader.getRows() as (string | number | null)[][];
    const more = values.length > question.limit;
    const rows = values.slice(0, question.limit).map(rowOf);
    const last = values[question.limit - 1];
    const [key, customerId] = [last?.[SCORE_COLUMNS.length], last?.[0]];
    const isEmpty = rows.length === 0 && question.after === undefined;
    return {
      snapshot,
      rows,
      ...(isEmpty && { alone: await filterCounts(lake, scores, question) }),
      next:
        more && typeof key === 'number' && typeof customerId === 'string'
          ? { key, customerId: customerId as CustomerId }
          : undefined,
    };
  }

  return {
    page: async (question) => {
      const release = takePlace();
      try {
        return { ...(await inTurn(() => read(question))), release };
      } catch (err) {
        release();
        throw err;
      }
    },
    close: async () => {
      (await opening?.catch(() => undefined))?.close();
    },
  };
}

/** The filters that are asked for, each as a condition. */
function filtersOf({ segments, riskAbove, valueAbove, channel }: ScoreQuestion) {
  const filters: [keyof FilterCounts, string][] = [];
  if (segments.length > 0)
    filters.push(['segments', `"rfmSegment" IN (${segments.map(sqlText).join(', ')})`]);
  if (riskAbove !== undefined) filters.push(['riskAbove', `risk > ${riskAbove}`]);
  if (valueAbove !== undefined) filters.push(['valueAbove', `"valueMinor" > ${valueAbove}`]);
  if (channel !== undefined)
    filters.push(['channel', `(addressable::INTEGER & ${channelBit(channel)}) <> 0`]);
  return filters;
}

async function filterCounts(lake: Lake, scores: string, question: ScoreQuestion): Promise<FilterCounts> {
  const filters = filtersOf(question);
  if (filters.length === 0) return {};
  const counts = filters.map(([, condition]) => `count(*) FILTER (${condition})::DOUBLE`);
  const reader = await lake.connection.runAndReadAll(`SELECT ${counts.join(', ')} FROM ${scores}`);
  return Object.fromEntries(filters.map(([name], f) => [name, Number(reader.value(f, 0))]));
}

/** One row more than is wanted: whether there is a next page. */
function pageQuery(scores: string, question: ScoreQuestion) {
  const { sort, limit, after } = question;
  const conditions = ['true', ...filtersOf(question).map(([, condition]) => condition)];
  if (after !== undefined) {
    // As a text, which DuckDB reads as the very same double.
    const key = `${sqlText(String(after.key))}::DOUBLE`;
    conditions.push(
      `("sortKey" > ${key} OR ("sortKey" = ${key} AND "customerId" > ${sqlText(after.customerId)}))`,
    );
  }
  const columns = SCORE_COLUMNS.map((name) => `"${name}"`).join(', ');
  return `SELECT ${columns}, "sortKey" FROM (SELECT *, (${sortKeys[sort]})::DOUBLE AS "sortKey" FROM ${scores})
    WHERE ${conditions.join(' AND ')} ORDER BY "sortKey", "customerId" LIMIT ${limit + 1}`;
}

function rowOf(values: (string | number | null)[]): ScoredCustomer {
  return Object.fromEntries(SCORE_COLUMNS.map((name, c) => [name, values[c] ?? null])) as ScoredCustomer;
}

function missing({ after }: ScoreQuestion): AppError {
  return after === undefined
    ? new AppError('CONFLICT', {
        public:
          'Nobody has been scored yet: run the job score-customers (POST /jobs), or wait for the night. It needs a served model of churn or of ' +
          'customer value (GET /models), which a shop of few purchases may have none of yet.',
      })
    : new AppError('GONE', {
        public: 'The scores that this cursor goes through are no longer kept: begin again without it.',
      });
}
