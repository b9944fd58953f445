/** The log of decisions that an offer model is learnt from, and parts of it. */
import { type CategoryShares, fitOf } from './category-fit.ts';
import type { OfferDescriptor } from './offer-descriptor.ts';

/** Decisions, one row a placement, with what was known of the customer before and what came afterwards. */
export type OfferLog = {
  rows: number;
  featureNames: readonly string[];
  channels: readonly string[];
  /** rows × (features + channels), as `writeContext` has them. */
  contexts: Float32Array;
  /** Offers that were made, each once. */
  offers: readonly OfferDescriptor[];
  /** By row: position among the offers, or `noContact`. */
  offer: Int32Array;
  /** 1 where the offer was held already, and shown again: another row made it. */
  shownAgain: Uint8Array;
  propensity: Float64Array;
  /** Number of the customer. */
  customer: Int32Array;
  /** Categories that any of the offers is about. */
  categories: readonly string[];
  /** rows × categories: shares of the customer's interest; by row, the weight of the evidence behind them. */
  interest: Float32Array;
  evidence: Float32Array;
  /** By row: 1 where the offer was redeemed, by whichever of the decisions that showed it that was told. */
  redeemed: Uint8Array;
  /** 1 where it is known to have been read (seen, or answered in any way), taken up (clicked or redeemed), dismissed. */
  read: Uint8Array;
  taken: Uint8Array;
  dismissed: Uint8Array;
  /** Orders within the window. */
  orders: Uint8Array;
  /** 1 for a customer who left; NaN: not known. */
  churned: Float32Array;
};

/** Parts of the customers that all is foretold in, each by a fit to the others. */
export const customerParts = 3;

/** All decisions on a customer in the same part. */
export function partOf({ customer }: OfferLog, row: number): number {
  return customer[row]! % customerParts;
}

export function meanOverOffers(
  { offers }: OfferLog,
  row: number,
  of: (row: number, offer: number) => number,
): number {
  let sum = 0;
  for (let offer = 0; offer < offers.length; offer++) sum += of(row, offer);
  return sum / offers.length;
}

/** The log of some of its rows, in their order. */
export function pickLog(log: OfferLog, rows: Int32Array): OfferLog {
  const columns = log.featureNames.length + log.channels.length;
  return {
    ...log,
    rows: rows.length,
    contexts: pickMatrix(log.contexts, columns, rows),
    offer: rows.map((row) => log.offer[row]!),
    shownAgain: Uint8Array.from(rows, (row) => log.shownAgain[row]!),
    propensity: Float64Array.from(rows, (row) => log.propensity[row]!),
    customer: rows.map((row) => log.customer[row]!),
    interest: pickMatrix(log.interest, log.categories.length, rows),
    evidence: Float32Array.from(rows, (row) => log.evidence[row]!),
    redeemed: Uint8Array.from(rows, (row) => log.redeemed[row]!),
    read: Uint8Array.from(rows, (row) => log.read[row]!),
    taken: Uint8Array.from(rows, (row) => log.taken[row]!),
    dismissed: Uint8Array.from(rows, (row) => log.dismissed[row]!),
    orders: Uint8Array.from(rows, (row) => log.orders[row]!),
    churned: Float32Array.from(rows, (row) => log.churned[row]!),
  };
}

export function pickMatrix(matrix: Float32Array, columns: number, rows: Int32Array): Float32Array {
  const picked = new Float32Array(rows.length * columns);
  rows.forEach((row, n) => {
    picked.set(matrix.subarray(row * columns, (row + 1) * columns), n * columns);
  });
  return picked;
}

export function usualSharesOf({ rows, categories, interest }: OfferLog): CategoryShares {
  return new Map(
    categories.map((category, c) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += interest[row * categories.length + c]!;
      return [category, rows > 0 ? sum / rows : 0];
    }),
  );
}

/** As `categoryFit`, out of the log's columns; a category that has none counts as one that nobody has an interest in. */
export function pairFits(
  { categories, interest, evidence, offers }: OfferLog,
  usual: CategoryShares,
): (row: number, offer: number) => number {
  const columns = offers.map((offer) =>
    Int32Array.from(offer.categories.map((name) => categories.indexOf(name)).filter((column) => column >= 0)),
  );
  const common = offers.map((offer) =>
    offer.categories.reduce((sum, name) => sum + (usual.get(name) ?? 0), 0),
  );
  return (row, offer) => {
    let own = 0;
    for (const column of columns[offer]!) own += interest[row * categories.length + column]!;
    return fitOf(own, common[offer]!, evidence[row]!);
  };
}
