/** What a record's features keep of the orders, for those who reckon with it rather than with the vector. */
import type { CustomerRecord } from './record.ts';
import { FEATURE_OFFSETS, FEATURES } from './registry.ts';

export type OrderTotals = {
  /** Orders of one day are one errand. */
  errands: number;
  /** Milliseconds since 1970, when the last errand began; `NEVER` without orders. */
  firstOrderAt: number;
  lastErrandAt: number;
  /** Paid, after discounts and before returns; and before discounts. */
  spendMinor: number;
  grossMinor: number;
  returnedMinor: number;
};

const at = {
  errands: slotOf('orderHistory', 'errands'),
  firstOrderAt: slotOf('orderHistory', 'firstOrderAt'),
  lastErrandAt: slotOf('orderHistory', 'lastErrandAt'),
  spendMinor: slotOf('monetary', 'spendMinor'),
  grossMinor: slotOf('discountShare', 'grossMinor'),
  returnedMinor: slotOf('monetary', 'returnedMinor'),
};

export function orderTotalsOf({ state }: Pick<CustomerRecord, 'state'>): OrderTotals {
  return {
    errands: state[at.errands]!,
    firstOrderAt: state[at.firstOrderAt]!,
    lastErrandAt: state[at.lastErrandAt]!,
    spendMinor: state[at.spendMinor]!,
    grossMinor: state[at.grossMinor]!,
    returnedMinor: state[at.returnedMinor]!,
  };
}

/** Index in the state of a slot that another file keeps. */
function slotOf(feature: string, slot: string): number {
  const f = FEATURES.findIndex(({ name }) => name === feature);
  const s = FEATURES[f]?.slots.indexOf(slot) ?? -1;
  if (s < 0) throw new Error(`there is no slot ${slot} of ${feature}`);
  return FEATURE_OFFSETS[f]!.slots + s;
}
