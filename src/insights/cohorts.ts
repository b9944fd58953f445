/** Customers by the month of their first purchase within the period: how many came back in each month after, for how much. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { Estimate, meanOf, shareOf } from './estimate.ts';
import { type Period, sqlDay } from './period.ts';

export const Cohort = z
  .object({
    /** `YYYY-MM`. */
    cohort: z.string(),
    customers: z.int().min(1),
    months: z.array(
      z.object({
        /** Months after that of the first purchase, which is 0. */
        month: z.int().min(0),
        /** false: the period ends within this month. */
        complete: z.boolean(),
        /** Share of the cohort that bought in this month. */
        retained: Estimate,
        /** Net of returns. Minor units. */
        revenueMinor: z.number(),
        /** Over all of the cohort, those who bought nothing too. */
        revenuePerCustomerMinor: Estimate,
      }),
    ),
  })
  .meta({ id: 'RetentionCohort' });
export type Cohort = z.output<typeof Cohort>;

/**
 * `facts` and `purchaseDays` name tables of the queries of these names. Every month until the end is there, also an empty one.
 */
export async function readCohorts(
  connection: DuckDBConnection,
  facts: string,
  purchaseDays: string,
  { from, end }: Period,
): Promise<Cohort[]> {
  const lastDay = `${sqlDay(end)} - 1`;
  const reader = await connection.runAndReadAll(`
    WITH members AS (
      SELECT customerId, date_trunc('month', firstDay)::DATE AS cohort FROM ${facts} WHERE firstDay >= ${sqlDay(from)}),
    sizes AS (SELECT cohort, count(*) AS customers FROM members GROUP BY cohort),
    spent AS (
      SELECT cohort, customerId, date_diff('month', cohort, day) AS month, bool_or(bought) AS bought, sum(netMinor) AS net
      FROM ${purchaseDays} JOIN members USING (customerId) WHERE day >= ${sqlDay(from)} GROUP BY ALL),
    cells AS (
      SELECT cohort, month, count(*) FILTER (bought) AS retained, sum(net) AS revenue, sum(net * net) AS squared
      FROM spent GROUP BY ALL)
    SELECT strftime(cohort, '%Y-%m') AS cohort, customers::DOUBLE AS customers, month::DOUBLE AS month,
      (cohort + to_months((month + 1)::INTEGER) <= ${sqlDay(end)}) AS complete,
      coalesce(retained, 0)::DOUBLE AS retained, coalesce(revenue, 0)::DOUBLE AS revenue, coalesce(squared, 0)::DOUBLE AS squared
    FROM (SELECT cohort, customers, unnest(range(date_diff('month', cohort, ${lastDay}) + 1)) AS month FROM sizes)
      LEFT JOIN cells USING (cohort, month)
    ORDER BY cohort, month`);
  type Cell = {
    cohort: string;
    customers: number;
    month: number;
    complete: boolean;
    retained: number;
    revenue: number;
    squared: number;
  };
  const cohorts = new Map<string, Cohort>();
  for (const cell of reader.getRowObjects() as Cell[]) {
    const { cohort: name, customers } = cell;
    const cohort = cohorts.get(name) ?? { cohort: name, customers, months: [] };
    cohorts.set(name, cohort);
    cohort.months.push({
      month: cell.month,
      complete: cell.complete,
      retained: shareOf(cell.retained, customers),
      revenueMinor: cell.revenue,
      revenuePerCustomerMinor: meanOf(customers, cell.revenue, cell.squared),
    });
  }
  return [...cohorts.values()];
}
