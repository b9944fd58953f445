/** Divides a log at a day: what was known of each customer by then, and what she did after it. */
import { UsageError } from '../../domain/errors.ts';
import { dayText } from '../input/day.ts';
import type { CustomerBase } from './read-summary.ts';
import type { TransactionLog } from './transaction-log.ts';

export type Period = {
  /** The last day of the calibration, and that of the holdout that begins the day after. */
  calibrationEnd: number;
  holdoutEnd: number;
  /** The unit of time of the models: 7 for weeks. */
  daysPerUnit: number;
};

export type Observation = CustomerBase & {
  holdout: {
    /** In units of time. */
    length: number;
    /** The last day of the log, within the holdout or after it. */
    lastDay: number;
    /** Days with a purchase, for each customer of the calibration. */
    purchases: Float64Array;
    /** What she spent on such a day, on average; NaN where there is none. Absent where the log tells of no money. */
    averageSpend?: Float64Array;
  };
};

/**
 * All purchases of a customer on one day are one. Customers who came after the calibration are not in it. UsageError where
 * there is nothing to calibrate on or to hold out.
 */
export function observe(
  log: TransactionLog,
  { calibrationEnd, holdoutEnd, daysPerUnit }: Period,
): Observation {
  const { order, start } = byCustomer(log);
  const { day, amount } = log;
  let known = 0;
  const columns = () => new Float64Array(log.customers);
  const [frequency, recency, age, averageSpend] = [columns(), columns(), columns(), columns()];
  const [laterPurchases, laterSpend] = [columns(), columns()];
  let latest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < log.customers; c++) {
    const rows = order.subarray(start[c]!, start[c + 1]!).sort((i, j) => day[i]! - day[j]!);
    const first = day[rows[0]!]!;
    latest = Math.max(latest, day[rows.at(-1)!]!);
    if (first > calibrationEnd) continue;
    let [repeats, repeatSpend, last, later, spentLater] = [0, 0, first, 0, 0];
    let previous = first;
    for (const row of rows) {
      const at = day[row]!;
      if (at > holdoutEnd) break;
      const isNewDay = at !== previous;
      previous = at;
      if (at > calibrationEnd) {
        if (isNewDay) later++;
        spentLater += amount?.[row] ?? 0;
      } else if (at !== first) {
        if (isNewDay) repeats++;
        repeatSpend += amount?.[row] ?? 0;
        last = at;
      }
    }
    frequency[known] = repeats;
    recency[known] = (last - first) / daysPerUnit;
    age[known] = (calibrationEnd - first) / daysPerUnit;
    averageSpend[known] = repeats > 0 ? repeatSpend / repeats : 0;
    laterPurchases[known] = later;
    laterSpend[known] = later > 0 ? spentLater / later : Number.NaN;
    known++;
  }
  if (known === 0)
    throw new UsageError(`Nobody bought by ${dayText(calibrationEnd)}: there is nothing to calibrate on.`);
  if (latest <= calibrationEnd)
    throw new UsageError(
      `The log ends on ${dayText(latest)}: nothing comes after the calibration's end on ${dayText(calibrationEnd)}.`,
    );
  const kept = (column: Float64Array) => column.slice(0, known);
  const purchases = { frequency: kept(frequency), recency: kept(recency), age: kept(age) };
  return {
    purchases,
    ...(amount !== undefined && {
      spend: { frequency: purchases.frequency, averageSpend: kept(averageSpend) },
    }),
    holdout: {
      length: (holdoutEnd - calibrationEnd) / daysPerUnit,
      lastDay: latest,
      purchases: kept(laterPurchases),
      ...(amount !== undefined && { averageSpend: kept(laterSpend) }),
    },
  };
}

/** The rows of customer c are `order[n]` for n from `start[c]` up to `start[c + 1]`. */
function byCustomer({ customers, customer }: TransactionLog): { order: Uint32Array; start: Uint32Array } {
  const start = new Uint32Array(customers + 1);
  for (const c of customer) start[c + 1]!++;
  for (let c = 0; c < customers; c++) start[c + 1]! += start[c]!;
  const next = start.slice();
  const order = new Uint32Array(customer.length);
  for (let row = 0; row < customer.length; row++) order[next[customer[row]!]!++] = row;
  return { order, start };
}
