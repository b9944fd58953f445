/**
 * Who gets an offer whose budget does not suffice for all: by value over the whole list, not by who comes first. Each budgeted
 * offer has a price; a customer gets the offer of the highest value less price, or none where nothing is left of it. The prices
 * are those at which each budget suffices, found by turns (the dual of the assignment problem, by coordinate ascent: Bertsekas
 * 1988's prices without the auction): given the prices of the others, an offer's price is the lowest at which those who still
 * want it fit.
 */

/** One customer's candidate. */
export type Wanted = {
  /** Position among the offers. */
  offer: number;
  /** Minor units, above 0. */
  value: number;
};

/** What is left of an offer's budget; Infinity = no limit. */
export type Supply = { amountMinor: number; count: number; costMinor: number };

/** Reads the whole list again: a customer's candidates, best first. */
export type WantedLists = () => AsyncIterable<readonly Wanted[]> | Iterable<readonly Wanted[]>;

const roundsMax = 20;
/** Of a price's scale: prices are told apart this finely. */
const bins = 4096;

/** Prices by offer, in minor units a redemption; 0 where the budget suffices for all who want it. */
export async function budgetPrices(lists: WantedLists, supplies: readonly Supply[]): Promise<Float64Array> {
  const places = supplies.map(placesOf);
  const prices = new Float64Array(supplies.length);
  const highest = await highestValues(lists, supplies.length);
  for (let round = 0; round < roundsMax; round++) {
    const wanting = await demandByPrice(lists, prices, highest);
    let moved = false;
    for (let o = 0; o < supplies.length; o++) {
      const price = lowestPriceThatFits(wanting[o], places[o] ?? 0, highest[o] ?? 0);
      // Half the way, so that two offers for the same customers do not chase each other.
      const next = round === 0 ? price : (prices[o] ?? 0) + (price - (prices[o] ?? 0)) / 2;
      if (Math.abs(next - (prices[o] ?? 0)) > (highest[o] ?? 0) / bins) moved = true;
      prices[o] = next;
    }
    if (!moved) break;
  }
  return prices;
}

/** Position in the list of what a customer gets at these prices; −1 = nothing. */
export function choiceAt(wanted: readonly Wanted[], prices: Float64Array): number {
  let best = -1;
  let most = 0;
  for (let w = 0; w < wanted.length; w++) {
    const { offer, value } = wanted[w] as Wanted;
    const left = value - (prices[offer] ?? 0);
    if (left > most) {
      most = left;
      best = w;
    }
  }
  return best;
}

/** Customers who can have it. */
function placesOf({ amountMinor, count, costMinor }: Supply): number {
  const byMoney = costMinor > 0 ? Math.floor(amountMinor / costMinor) : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(byMoney, count));
}

async function highestValues(lists: WantedLists, offers: number): Promise<Float64Array> {
  const highest = new Float64Array(offers);
  for await (const wanted of lists())
    for (const { offer, value } of wanted) highest[offer] = Math.max(highest[offer] ?? 0, value);
  return highest;
}

/** For each offer, how many would leave it at each price, given the prices of the others: by bins of its highest value. */
async function demandByPrice(
  lists: WantedLists,
  prices: Float64Array,
  highest: Float64Array,
): Promise<Uint32Array[]> {
  const leaving = Array.from(prices, () => new Uint32Array(bins + 1));
  for await (const wanted of lists()) {
    // The best, and the best without it: what the customer would have instead.
    let first = 0;
    let second = 0;
    let firstAt = -1;
    for (let w = 0; w < wanted.length; w++) {
      const { offer, value } = wanted[w] as Wanted;
      const left = value - (prices[offer] ?? 0);
      if (left > first) {
        second = first;
        first = left;
        firstAt = w;
      } else if (left > second) second = left;
    }
    for (let w = 0; w < wanted.length; w++) {
      const { offer, value } = wanted[w] as Wanted;
      // The price at which the customer turns to what else there is.
      const leavesAt = value - (w === firstAt ? second : first);
      const top = highest[offer] ?? 0;
      if (leavesAt <= 0 || top <= 0) continue;
      const bin = Math.min(bins, Math.ceil((leavesAt / top) * bins));
      const ofOffer = leaving[offer];
      if (ofOffer !== undefined) ofOffer[bin] = (ofOffer[bin] ?? 0) + 1;
    }
  }
  return leaving;
}

function lowestPriceThatFits(leaving: Uint32Array | undefined, places: number, highest: number): number {
  let staying = 0;
  for (let bin = bins; bin >= 1; bin--) {
    staying += leaving?.[bin] ?? 0;
    // Those of this bin leave at its upper edge at the latest.
    if (staying > places) return (bin / bins) * highest;
  }
  return 0;
}
