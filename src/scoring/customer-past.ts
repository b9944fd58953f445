/** A customer's record as the customer value model looks at it. */
import type { CustomerPast, ItemMargins } from '../algorithms/customer-value/customer-value-model.ts';
import { dayMs } from '../domain/time.ts';
import { orderTotalsOf } from '../features/order-totals.ts';
import type { CustomerRecord } from '../features/record.ts';

/** undefined: she has never ordered. `now` in milliseconds since 1970. */
export function customerPastOf(
  record: Pick<CustomerRecord, 'state' | 'items'>,
  margins: ItemMargins,
  now: number,
): CustomerPast | undefined {
  const { errands, firstOrderAt, lastErrandAt, spendMinor, grossMinor, returnedMinor } =
    orderTotalsOf(record);
  if (errands < 1) return undefined;
  // An order that came late may lie before the one that was first.
  const recencyDays = errands === 1 ? 0 : Math.max(0, lastErrandAt - firstOrderAt) / dayMs;
  const kept = spendMinor > 0 ? 1 - Math.min(1, Math.max(0, returnedMinor / spendMinor)) : 1;
  const cost = (1 - marginShareOf(record, margins)) * grossMinor;
  return {
    errands,
    recencyDays,
    // An accepted event may lie a day ahead.
    ageDays: Math.max(recencyDays, (now - firstOrderAt) / dayMs),
    averageMarginMinor: ((spendMinor - cost) * kept) / errands,
  };
}

/** Of the items that the record keeps, by what they usually cost: margin over price before discounts. */
function marginShareOf({ items }: Pick<CustomerRecord, 'items'>, margins: ItemMargins): number {
  const { known, assumedShare } = margins;
  if (known.size === 0) return assumedShare;
  let total = 0;
  let margin = 0;
  let unknown = 0;
  let units = 0;
  for (const [itemId, { quantity }] of items) {
    const item = known.get(itemId);
    if (item === undefined) unknown += quantity;
    else {
      units += quantity;
      total += quantity * item.priceMinor;
      margin += quantity * item.priceMinor * item.share;
    }
  }
  if (!(total > 0)) return assumedShare;
  // Those that the catalogue does not tell of count as if they cost what her others do.
  const rest = (unknown * total) / units;
  return (margin + rest * assumedShare) / (total + rest);
}
