/** The figures of all customers and of each group, in one pass over the facts. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { DIMENSIONS, type Dimension } from './dimensions.ts';
import { Estimate, meanOf, npsOf, shareOf, unknownOf } from './estimate.ts';

export const Figures = z
  .object({
    /** Customers who had bought by the end of the period. */
    customers: z.int().min(0),
    /** Of them, who bought in the period. */
    buyers: z.int().min(0),
    /** Net of returns, in the period. Minor units. */
    revenueMinor: z.number(),
    /** Share of the buyers who bought on two days or more of the period. */
    repeatPurchaseRate: Estimate,
    /** Of who bought in the previous period of the same length: the share who bought in this one. */
    retentionRate: Estimate,
    /** 1 − retentionRate; null where the period is too short to know that anybody has left (`warnings` says why). */
    churnRate: Estimate,
    /** Days with a purchase, a buyer. */
    purchaseFrequency: Estimate,
    revenuePerBuyerMinor: Estimate,
    /** Net revenue of a customer from the first purchase until the end of the period. */
    lifetimeValueMinor: Estimate,
    /** Share of the customers who rated in the period whose last rating was 4 or 5. */
    csat: Estimate,
    /** Mean of these ratings. */
    meanRating: Estimate,
    /** Net promoter score, −100 to 100, of the last answers in the period. */
    nps: Estimate,
  })
  .meta({ id: 'RetentionFigures' });
export type Figures = z.output<typeof Figures>;

/** Which interval each figure has. */
export const INTERVALS = {
  repeatPurchaseRate: 'wilson',
  retentionRate: 'wilson',
  churnRate: 'wilson',
  purchaseFrequency: 'normal',
  revenuePerBuyerMinor: 'normal',
  lifetimeValueMinor: 'normal',
  csat: 'wilson',
  meanRating: 'normal',
  nps: 'adjustedWald',
} as const satisfies Partial<Record<keyof Figures, string>>;

export const Group = Figures.extend({ by: z.enum(DIMENSIONS), key: z.string() }).meta({
  id: 'RetentionGroup',
});
export type Group = z.output<typeof Group>;

/** Groups of one dimension that are answered; there are fewer, but for cohorts of a long history. */
const groupsMax = 1000;

const sums = {
  customers: 'count(*)',
  buyers: 'count(*) FILTER (daysIn > 0)',
  revenue: 'sum(netIn)',
  repeaters: 'count(*) FILTER (daysIn > 1)',
  active: 'count(*) FILTER (wasActive)',
  retained: 'count(*) FILTER (wasActive AND daysIn > 0)',
  days: 'sum(daysIn)',
  daysSquared: 'sum(daysIn * daysIn)',
  buyersRevenue: 'sum(netIn) FILTER (daysIn > 0)',
  buyersRevenueSquared: 'sum(netIn * netIn) FILTER (daysIn > 0)',
  value: 'sum(netAll)',
  valueSquared: 'sum(netAll * netAll)',
  rated: 'count(ratingIn)',
  content: 'count(*) FILTER (ratingIn >= 4)',
  rating: 'sum(ratingIn)',
  ratingSquared: 'sum(ratingIn * ratingIn)',
  answered: 'count(npsIn)',
  promoters: 'count(*) FILTER (npsIn >= 9)',
  detractors: 'count(*) FILTER (npsIn <= 6)',
} as const;
type Sums = Record<keyof typeof sums, number>;

/** `facts` names a table of `customerFactsQuery`. Groups come in the order of `by`, the largest first, cohorts by month. */
export async function readFigures(
  connection: DuckDBConnection,
  facts: string,
  by: readonly Dimension[],
): Promise<{ total: Figures; groups: Group[] }> {
  const columns = Object.entries(sums).map(([name, sql]) => `coalesce(${sql}, 0)::DOUBLE AS "${name}"`);
  const sets = ['()', ...by.map((dimension) => `("${dimension}")`)];
  const groupings = by.map((dimension) => `WHEN grouping("${dimension}") = 0 THEN '${dimension}'`);
  const keys = by.map((dimension) => `"${dimension}"`);
  const reader = await connection.runAndReadAll(`
    SELECT * FROM (
      SELECT ${by.length === 0 ? 'NULL' : `CASE ${groupings.join(' ')} END`} AS "by",
        ${by.length === 0 ? 'NULL' : `coalesce(${keys.join(', ')})`} AS "key", ${columns.join(', ')}
      FROM ${facts} GROUP BY GROUPING SETS (${sets.join(', ')}))
    QUALIFY row_number() OVER (PARTITION BY "by" ORDER BY customers DESC, "key") <= ${groupsMax}
    ORDER BY customers DESC, "key"`);
  let total = figuresOf(Object.fromEntries(Object.keys(sums).map((name) => [name, 0])) as Sums);
  const groups: Group[] = [];
  for (const row of reader.getRowObjects() as (Sums & { by: Dimension | null; key: string | null })[]) {
    if (row.by === null) total = figuresOf(row);
    else groups.push({ by: row.by, key: row.key ?? '', ...figuresOf(row) });
  }
  const place = (group: Group) => by.indexOf(group.by);
  groups.sort((a, b) => place(a) - place(b) || (a.by === 'cohort' ? (a.key < b.key ? -1 : 1) : 0));
  return { total, groups };
}

/** The same without churn rates: nobody can be known to have left. */
export function withoutChurn({ total, groups }: { total: Figures; groups: Group[] }): {
  total: Figures;
  groups: Group[];
} {
  const without = <F extends Figures>(figures: F): F => ({
    ...figures,
    churnRate: unknownOf(figures.churnRate.customers),
  });
  return { total: without(total), groups: groups.map(without) };
}

function figuresOf(s: Sums): Figures {
  return {
    customers: s.customers,
    buyers: s.buyers,
    revenueMinor: s.revenue,
    repeatPurchaseRate: shareOf(s.repeaters, s.buyers),
    retentionRate: shareOf(s.retained, s.active),
    churnRate: shareOf(s.active - s.retained, s.active),
    purchaseFrequency: meanOf(s.buyers, s.days, s.daysSquared),
    revenuePerBuyerMinor: meanOf(s.buyers, s.buyersRevenue, s.buyersRevenueSquared),
    lifetimeValueMinor: meanOf(s.customers, s.value, s.valueSquared),
    csat: shareOf(s.content, s.rated),
    meanRating: meanOf(s.rated, s.rating, s.ratingSquared),
    nps: npsOf(s.promoters, s.detractors, s.answered),
  };
}
