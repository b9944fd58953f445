/**
 * The limits of segments, tiers and bands: quantiles of the shop's customers as the service would score them at the end of
 * the history, from their records.
 */
import type { ChurnModel } from '../../algorithms/churn-model.ts';
import { bandShares, quantilesOf } from '../../algorithms/customer-value/bands.ts';
import {
  type CustomerThresholds,
  type CustomerValueModel,
  customerValue,
} from '../../algorithms/customer-value/customer-value-model.ts';
import { applyEvent, emptyRecord } from '../../features/record.ts';
import type { Lake } from '../../history/lake.ts';
import { replayCustomers } from '../../history/replay.ts';
import { customerPastOf } from '../../scoring/customer-past.ts';
import { scoreCustomer } from '../../scoring/score-customer.ts';

const fifths = [0.2, 0.4, 0.6, 0.8];
const quarters = [0.25, 0.5, 0.75];

/**
 * Replays these customers up to `before` (milliseconds since 1970). No limits of risk without a churn model, or where all are
 * long gone.
 */
export async function readThresholds(
  lake: Lake,
  customerIds: readonly string[],
  before: number,
  value: CustomerValueModel,
  churn: ChurnModel | undefined,
  report: () => Promise<void> | void,
): Promise<CustomerThresholds> {
  const seen = { recency: [], errands: [], margin: [], value: [], risk: [] } as Record<
    'recency' | 'errands' | 'margin' | 'value' | 'risk',
    number[]
  >;
  let replayed = 0;
  await replayCustomers(lake, { before, customerIds }, (_id, events) => {
    const record = emptyRecord();
    for (const event of events) applyEvent(record, event);
    const past = customerPastOf(record, value.margins, before);
    if (past !== undefined) {
      seen.recency.push(past.ageDays - past.recencyDays);
      if (past.errands > 1) seen.errands.push(past.errands);
      seen.margin.push(past.errands * past.averageMarginMinor);
      seen.value.push(customerValue(value, past).valueMinor);
      // Of the long gone all have the same risk, and in an old shop they are most: no limit would tell those apart who stay.
      const isGone = past.ageDays - past.recencyDays > (churn?.gone?.afterDays ?? Number.POSITIVE_INFINITY);
      const risk = churn && scoreCustomer({ churn }, record, before).churn?.risk;
      if (risk !== undefined && !isGone) seen.risk.push(risk);
    }
    return ++replayed % 500 === 0 ? report() : undefined;
  });
  const limits = (values: number[], shares: readonly number[]) =>
    quantilesOf(Float64Array.from(values), shares);
  return {
    recencyDays: limits(seen.recency, fifths),
    // Nobody came twice: any limit will do.
    errands: seen.errands.length > 0 ? limits(seen.errands, quarters) : [2, 2, 2],
    marginMinor: limits(seen.margin, fifths),
    valueMinor: limits(seen.value, bandShares),
    risk: seen.risk.length > 0 ? limits(seen.risk, bandShares) : [],
  };
}
