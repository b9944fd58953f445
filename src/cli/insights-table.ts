/** The figures of a period as tables for a terminal. */
import type { Cohort } from '../insights/cohorts.ts';
import type { Figures } from '../insights/figures.ts';
import type { Retention } from '../insights/retention.ts';
import { aligned, count, moneyFormat, percent, points, withBounds } from './figures-table.ts';

/** Months that a line of cohorts shows; the JSON has all. */
const monthsShown = 13;
const nameShown = 30;

export function retentionTable(retention: Retention, currency: string): string {
  const { period, previousPeriod, total, groups, comparisons, cohorts, warnings } = retention;
  const money = moneyFormat(currency);
  const figures: string[][] = [
    ['', 'customers', 'buyers', 'revenue', 'repeat', 'churn', 'purchases', 'value', 'CSAT', 'NPS'],
    ['all', ...figureCells(total, money)],
  ];
  let by = '';
  for (const group of groups) {
    if (group.by !== by) figures.push([`by ${group.by}`]);
    by = group.by;
    // Segments are the shop's own words: nothing of them may steer the terminal.
    const name = group.key.replace(/\p{Cc}/gu, '?').slice(0, nameShown);
    figures.push([`  ${name}`, ...figureCells(group, money)]);
  }
  const parts = [
    `${period.from} to ${period.to} (${count(period.days)} days); churn: of who bought from ${previousPeriod.from} to ${previousPeriod.to}.\n` +
      'Buyers bought in the period; repeat: share of them who bought again in it; purchases: of a buyer; value: net revenue of a customer so far.\n' +
      'In brackets the ends of the 95 % intervals.',
    aligned(figures),
  ];
  if (comparisons.length > 0)
    parts.push(
      `Difference of the churn rates in percentage points; an interval without 0 is hardly chance\n${aligned(
        comparisons.map(({ by, group, against, churnRateDifference }) => [
          `${by}: ${group} − ${against}`,
          withBounds(churnRateDifference, points),
        ]),
      )}`,
    );
  if (cohorts.length > 0)
    parts.push(
      `Share that bought in the months after the first purchase (… the period ends within it)\n${aligned(cohortRows(cohorts, period.from, ({ retained }) => percent(retained.value)))}`,
      `Net revenue of a customer in these months\n${aligned(cohortRows(cohorts, period.from, ({ revenuePerCustomerMinor }) => money(revenuePerCustomerMinor.value)))}`,
    );
  parts.push(...warnings.map((warning) => `! ${warning}`));
  return parts.join('\n\n');
}

function figureCells(figures: Figures, money: (minor: number | null) => string): string[] {
  const decimal = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  const whole = (value: number | null) => (value === null ? '–' : String(Math.round(value) || 0));
  return [
    count(figures.customers),
    count(figures.buyers),
    money(figures.revenueMinor),
    withBounds(figures.repeatPurchaseRate, percent),
    withBounds(figures.churnRate, percent),
    withBounds(figures.purchaseFrequency, decimal),
    withBounds(figures.lifetimeValueMinor, money),
    withBounds(figures.csat, percent),
    withBounds(figures.nps, whole),
  ];
}

/** `from`: the period's first day. Of a month that it cuts, the cohort has only those who came since. */
function cohortRows(
  cohorts: readonly Cohort[],
  from: string,
  cell: (month: Cohort['months'][number]) => string,
): string[][] {
  const longest = Math.min(monthsShown, Math.max(...cohorts.map(({ months }) => months.length)));
  const header = ['', 'customers', ...Array.from({ length: longest }, (_, month) => String(month))];
  const rows = cohorts.map(({ cohort, customers, months }) => [
    from > `${cohort}-01` ? `${cohort} since ${from.slice(-2)}` : cohort,
    count(customers),
    ...months.slice(0, longest).map((month) => `${month.complete ? '' : '…'}${cell(month)}`),
  ]);
  return [header, ...rows];
}
