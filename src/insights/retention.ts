/** Are customers kept? Every figure of a period, by DuckDB over the lake. docs/insights.md has the definitions. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { dayMs } from '../domain/time.ts';
import type { Lake } from '../history/lake.ts';
import { buyersQuery } from './buyers.ts';
import { whyChurnUnknown } from './churn-horizon.ts';
import { Cohort, readCohorts } from './cohorts.ts';
import { Comparison, comparisonsOf } from './comparisons.ts';
import { customerFactsQuery, type FactTables } from './customer-facts.ts';
import type { Dimension } from './dimensions.ts';
import { Figures, Group, INTERVALS, readFigures, withoutChurn } from './figures.ts';
import { dayText, type Period, resolvePeriod } from './period.ts';
import { purchaseDaysQuery } from './purchase-days.ts';
import { rfmQuery } from './rfm.ts';
import { signalsQuery } from './signals.ts';
import { standingQuery } from './standing.ts';

const Days = z.object({ from: z.iso.date(), to: z.iso.date() });

export const Retention = z
  .object({
    /** First and last day, UTC. */
    period: Days.extend({ days: z.int().min(1) }),
    /** As many days before: whoever bought in them can be kept, or lost, in the period. */
    previousPeriod: Days,
    /** Each figure's 95 % interval. */
    intervals: z.record(z.string(), z.enum(['wilson', 'normal', 'adjustedWald'])),
    total: Figures,
    /** Customers by what was known of them when the period began, or on the day of their first purchase if that came later. */
    groups: z.array(Group),
    /** Of the groups that are opposites: members and others, low and high ratings … */
    comparisons: z.array(Comparison),
    /** Customers whose first purchase lies in the period. */
    cohorts: z.array(Cohort),
    /** In words, why a figure is not known. */
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Retention' });
export type Retention = z.output<typeof Retention>;

export type RetentionQuestion = {
  from?: string | undefined;
  to?: string | undefined;
  by: readonly Dimension[];
};

/**
 * Throws AppError INVALID_REQUEST where the days do not make a period. Without a last day, the period ends with the last
 * purchase, or with `now` (milliseconds since 1970) where there is none. Leaves no tables behind. `signal` ends it, with an
 * error.
 */
export async function readRetention(
  lake: Pick<Lake, 'from' | 'connect'>,
  question: RetentionQuestion,
  now: number,
  signal?: AbortSignal,
): Promise<Retention> {
  const connection = await lake.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    signal?.throwIfAborted();
    const period = resolvePeriod(
      question,
      question.to ?? (await lastPurchaseDay(connection, lake)) ?? dayText(now),
    );
    const { by } = question;
    await makeTables(connection, lake, period, by);
    const figures = await readFigures(connection, 'facts', by);
    const unknown = await whyChurnUnknown(lake, connection, period.days, period.end);
    const { total, groups } = unknown === undefined ? figures : withoutChurn(figures);
    const cohorts = await readCohorts(connection, 'facts', 'purchaseDays', period);
    return {
      period: { from: dayText(period.from), to: dayText(period.end - dayMs), days: period.days },
      previousPeriod: { from: dayText(period.previousFrom), to: dayText(period.from - dayMs) },
      intervals: INTERVALS,
      total,
      groups,
      comparisons: comparisonsOf(groups),
      cohorts,
      warnings: unknown === undefined ? [] : [`${unknown} Ask for a longer period.`],
    };
  } finally {
    signal?.removeEventListener('abort', interrupt);
    // Temporary tables go with their connection.
    connection.closeSync();
  }
}

async function makeTables(
  connection: DuckDBConnection,
  lake: Pick<Lake, 'from'>,
  period: Period,
  by: readonly Dimension[],
): Promise<void> {
  const make = (table: string, query: string) =>
    connection.run(`CREATE OR REPLACE TEMP TABLE ${table} AS ${query}`);
  await make('purchaseDays', purchaseDaysQuery(lake, period));
  await make('buyers', buyersQuery('purchaseDays', period));
  await make('signals', signalsQuery(lake, period));
  await make('standing', standingQuery('buyers', 'signals'));
  await make('rfm', rfmQuery('buyers'));
  const tables: FactTables = { buyers: 'buyers', standing: 'standing', signals: 'signals', rfm: 'rfm' };
  await make('facts', customerFactsQuery(tables, by));
}

async function lastPurchaseDay(
  connection: DuckDBConnection,
  lake: Pick<Lake, 'from'>,
): Promise<string | undefined> {
  const reader = await connection.runAndReadAll(
    `SELECT strftime(max(occurredAt), '%Y-%m-%d') FROM ${lake.from('events')} WHERE type = 'purchase' AND customerId IS NOT NULL`,
  );
  const day = reader.value(0, 0);
  return typeof day === 'string' ? day : undefined;
}
