import { dayMs } from '../../domain/time.ts';
/** What is known of each item apart from anybody's taste: its category, price, age, and where its sales are heading. */

/** By item. */
export type ItemFacts = {
  /** Category number; 0 = unknown. */
  category: Int32Array;
  /** Natural logarithm of the usual unit price in minor units; NaN = unknown. */
  logPrice: Float32Array;
  /** Days from the first and from the last sale to the model's instant. */
  daysOnSale: Float32Array;
  daysSinceSold: Float32Array;
  /** ln of the decayed share of sales lately over that of a longer time: 0 = steady, above = rising. */
  trend: Float32Array;
  /** Share of all customers who bought it in the longer time, on a logarithmic scale: ln(1 + decayed sales). */
  logSales: Float32Array;
};

const shortHalfLifeDays = 7;
const longHalfLifeDays = 60;
/** Sales that each item is taken to have had besides, so that one sale is no trend. */
const priorSales = 2;

/** `unitPriceMinor`: usual price by item, 0 where unknown. `now`: no earlier than the last purchase. */
export function fitItemFacts(
  purchases: { item: Int32Array; at: Float64Array },
  itemCategory: Int32Array,
  unitPriceMinor: Float64Array,
  now: number,
): ItemFacts {
  const items = itemCategory.length;
  const short = new Float64Array(items);
  const long = new Float64Array(items);
  const first = new Float64Array(items).fill(now);
  const last = new Float64Array(items).fill(Number.NEGATIVE_INFINITY);
  let shortTotal = 0;
  let longTotal = 0;
  for (let p = 0; p < purchases.at.length; p++) {
    const i = purchases.item[p]!;
    const at = purchases.at[p]!;
    const days = Math.max(0, now - at) / dayMs;
    const recent = 2 ** (-days / shortHalfLifeDays);
    const longer = 2 ** (-days / longHalfLifeDays);
    short[i]! += recent;
    long[i]! += longer;
    shortTotal += recent;
    longTotal += longer;
    if (at < first[i]!) first[i] = at;
    if (at > last[i]!) last[i] = at;
  }
  // Sales of the short memory are fewer by this; what is left is how the item's own share moves.
  const pace = longTotal > 0 ? shortTotal / longTotal : 1;
  return {
    category: itemCategory,
    logPrice: Float32Array.from(unitPriceMinor, (price) => (price > 0 ? Math.log(price) : Number.NaN)),
    daysOnSale: Float32Array.from(first, (at) => (now - at) / dayMs),
    // An item without sales was last sold as long ago as it is on sale: never, that is 0 of 0 days.
    daysSinceSold: Float32Array.from(last, (at) => (Number.isFinite(at) ? (now - at) / dayMs : 0)),
    trend: Float32Array.from(short, (sales, i) =>
      Math.log((sales + priorSales * pace) / ((long[i]! + priorSales) * pace)),
    ),
    logSales: Float32Array.from(long, (sales) => Math.log1p(sales)),
  };
}
