/** The outcomes that groups are compared by: what each is taken over, and by which clock its intervals go. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Moments } from '../../algorithms/confidence-sequence.ts';
import type { Split } from './split.ts';

export const OUTCOMES = ['repeatPurchaseRate', 'marginPerCustomerMinor', 'churnRate', 'csat', 'nps'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One outcome of one group. */
export type GroupOutcome = Moments & {
  /** Customers in whom what is rarer of the two was seen (came back or did not, spent anything …). */
  events: number;
};

export type GroupSums = Split['groups'][number] & {
  customers: number;
  /** Of them, who had been seen before the start. */
  known: number;
  /** Customers × days with the experiment. */
  customerDays: number;
  outcomes: Record<Outcome, GroupOutcome>;
};

/** Whom an outcome is taken over, its value, and whom of them are counted: SQL over the columns of `peopleQuery`. */
const SQL: Record<Outcome, { over: string; value: string; counted?: string }> = {
  repeatPurchaseRate: { over: 'true', value: 'cameBack::INTEGER' },
  marginPerCustomerMinor: { over: 'true', value: 'marginMinor', counted: 'bought' },
  churnRate: { over: 'wasActive', value: '1 - bought::INTEGER' },
  csat: { over: 'rating IS NOT NULL', value: '(rating >= 4)::INTEGER' },
  nps: {
    over: 'nps IS NOT NULL',
    value: 'CASE WHEN nps >= 9 THEN 100 WHEN nps <= 6 THEN -100 ELSE 0 END',
    counted: 'true',
  },
};

/** `people` names a table with the columns of `peopleQuery` and `groupNumber`. */
export async function readGroups(
  connection: DuckDBConnection,
  people: string,
  groups: Split['groups'],
): Promise<GroupSums[]> {
  const columns = OUTCOMES.flatMap((outcome) => {
    const { over, value, counted = `${value} = 1` } = SQL[outcome];
    const when = `FILTER (${over})`;
    return [
      `count(*) ${when}::DOUBLE AS "${outcome}N"`,
      `coalesce(avg(${value}) ${when}, 0)::DOUBLE AS "${outcome}Mean"`,
      `coalesce(var_samp(${value}) ${when}, 0)::DOUBLE AS "${outcome}Variance"`,
      `count(*) FILTER (${over} AND ${counted})::DOUBLE AS "${outcome}Events"`,
    ];
  });
  const reader = await connection.runAndReadAll(`
    SELECT groupNumber, count(*)::DOUBLE AS customers, count(*) FILTER (known)::DOUBLE AS known,
      sum(days)::DOUBLE AS customerDays, ${columns.join(', ')}
    FROM ${people} WHERE groupNumber IS NOT NULL GROUP BY groupNumber`);
  const rows = reader.getRowObjects() as Record<string, number>[];
  return groups.map((group, number) => ({
    ...group,
    ...sumsOf(rows.find(({ groupNumber }) => groupNumber === number) ?? {}),
  }));
}

function sumsOf(row: Record<string, number>): Omit<GroupSums, 'name' | 'weight'> {
  const outcomes = OUTCOMES.map((outcome) => {
    const n = row[`${outcome}N`] ?? 0;
    const seen = row[`${outcome}Events`] ?? 0;
    // Of a share, what is rarer of the two; all other events have no opposite.
    const events = SQL[outcome].counted === undefined ? Math.min(seen, n - seen) : seen;
    const [mean, variance] = [row[`${outcome}Mean`] ?? 0, row[`${outcome}Variance`] ?? 0];
    return [outcome, { n, mean, variance, events }];
  });
  return {
    customers: row.customers ?? 0,
    known: row.known ?? 0,
    customerDays: row.customerDays ?? 0,
    outcomes: Object.fromEntries(outcomes) as GroupSums['outcomes'],
  };
}

/** Days, odds, customers and answers at which the intervals are narrowest: chosen before anybody looks. */
const usualDays = 28;
const usualOdds = 0.25;
const usualCount = 1000;

/** How far the clock of an outcome's intervals has come for two groups: see `confidence-sequence.ts`. */
export function clockOf(outcome: Outcome, first: GroupSums, second: GroupSums): number {
  const [a, b] = [first.outcomes[outcome], second.outcomes[outcome]];
  const n = a.n + b.n;
  const known = Math.max(usualCount, first.known + second.known);
  if (outcome === 'marginPerCustomerMinor')
    return (first.customerDays + second.customerDays) / (known * usualDays);
  if (outcome === 'csat' || outcome === 'nps') return n / usualCount;
  const share = (a.n * a.mean + b.n * b.mean) / n;
  // Those who are lost are those to whom the first purchase has not happened.
  const happened = outcome === 'churnRate' ? 1 - share : share;
  // Who can be lost is settled at the start.
  const expected = outcome === 'churnRate' ? Math.max(usualCount, n) : known;
  return (n * happened) / Math.max(1 / n, 1 - happened) / (expected * usualOdds);
}

/** With fewer customers, or events among them, sums are not normal enough for an interval. */
const customersMin = 100;
const eventsMin = 20;

export function hasEnough({ n, events }: GroupOutcome): boolean {
  return n >= customersMin && events >= eventsMin;
}
