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

/** Prices are told apart this finely: bins of equal ratio, from the highest value down to a millionth of it. */
const bins = 4096;
const octaves = 20;

/**
 * By offer, in minor units. Whoever wants the offer at `above` gets it; of those who want it at `at` alone, and so are all worth
 * about the same to it, `share` do, at most `spare` of them. All 0 where the budget suffices for everybody.
 */
export type BudgetPrices = { above: number[]; at: number[]; share: number[]; spare: number[] };

export async function budgetPrices(lists: WantedLists, supplies: readonly Supply[]): Promise<BudgetPrices> {
  const places = supplies.map(placesOf);
  const highest = await highestValues(lists, supplies.length);
  const none = supplies.map(() => 0);
  let prices: BudgetPrices = { above: none, at: none, share: none, spare: none };
  for (let round = 0; round < roundsMax; round++) {
    const wanting = await demandByPrice(lists, prices, highest);
    const next = pricesThatFit(wanting, places, highest);
    const moved = next.above.some((price, o) => {
      const before = prices.above[o] ?? 0;
      return Math.abs(price - before) > 0.005 * Math.max(price, before);
    });
    if (!moved || round === roundsMax - 1) return next;
    // Half the way, so that two offers for the same customers do not chase each other.
    const half = (to: readonly number[], from: readonly number[]) =>
      to.map((price, o) => (round === 0 ? price : (price + (from[o] ?? 0)) / 2));
    prices = { ...next, above: half(next.above, prices.above), at: half(next.at, prices.at) };
  }
  return prices;
}

/**
 * What each customer of the list gets at these prices, in its order: position among the offers, −1 = nothing, undefined = none of
 * the offers that are short concerns the customer. Never more of an offer than there are places: of those to whom it is worth about
 * the same, whoever comes after the last place has the next best.
 */
export async function* shareOut(
  lists: WantedLists,
  prices: BudgetPrices,
  supplies: readonly Supply[],
): AsyncGenerator<number | undefined> {
  const left = supplies.map(placesOf);
  const spare = [...prices.spare];
  let customer = 0;
  for await (const wanted of lists()) {
    yield wanted.some(({ offer }) => (prices.above[offer] ?? 0) > 0)
      ? take(wanted, prices, left, spare, customer)
      : undefined;
    customer++;
  }
}

function take(
  wanted: readonly Wanted[],
  prices: BudgetPrices,
  left: number[],
  spare: number[],
  customer: number,
): number {
  let best = -1;
  let most = 0;
  let isSpare = false;
  for (const { offer, value } of wanted) {
    if ((left[offer] ?? 0) <= 0) continue;
    const above = prices.above[offer] ?? 0;
    const drawn = (spare[offer] ?? 0) >= 1 && value <= above;
    const price = drawn ? priceFor(prices, offer, customer) : above;
    if (value - price <= most) continue;
    most = value - price;
    best = offer;
    isSpare = drawn;
  }
  if (best >= 0) {
    left[best] = (left[best] ?? 0) - 1;
    if (isSpare) spare[best] = (spare[best] ?? 0) - 1;
  }
  return best;
}

function priceFor({ above, at, share }: BudgetPrices, offer: number, customer: number): number {
  const price = above[offer] ?? 0;
  if (price === 0) return 0;
  return uniformOf(customer, offer) < (share[offer] ?? 0) ? (at[offer] ?? 0) : price;
}

/** In [0, 1): the same for the same customer and offer, and as good as chance over customers (MurmurHash3's finalizer). */
function uniformOf(customer: number, offer: number): number {
  let mixed = Math.imul(customer + 1, 0x9e3779b1) ^ Math.imul(offer + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
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

/** For each offer, how many would leave it at each price, given the prices of the others. */
async function demandByPrice(
  lists: WantedLists,
  prices: BudgetPrices,
  highest: Float64Array,
): Promise<Uint32Array[]> {
  const leaving = Array.from(highest, () => new Uint32Array(bins));
  let customer = 0;
  for await (const wanted of lists()) {
    // The best, and the best without it: what the customer would have instead.
    let first = 0;
    let second = 0;
    let firstAt = -1;
    for (let w = 0; w < wanted.length; w++) {
      const { offer, value } = wanted[w] as Wanted;
      const left = value - priceFor(prices, offer, customer);
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
      const ofOffer = leaving[offer];
      if (leavesAt <= 0 || ofOffer === undefined) continue;
      const bin = binOf(leavesAt, highest[offer] ?? 0);
      ofOffer[bin] = (ofOffer[bin] ?? 0) + 1;
    }
    customer++;
  }
  return leaving;
}

/** 0 holds the least prices. */
function binOf(price: number, highest: number): number {
  const below = -Math.log2(price / highest);
  return Math.max(0, Math.min(bins - 1, bins - 1 - Math.floor((below / octaves) * bins)));
}

/** A price that those of the bin, and all above it, pay; and one that only those above it do. */
function edgesOf(bin: number, highest: number): { lower: number; upper: number } {
  const edge = (at: number) => highest * 2 ** (((at - bins) / bins) * octaves);
  // A hair below and above, for values that lie on the very edge.
  return { lower: bin === 0 ? 0 : edge(bin) * (1 - 1e-6), upper: edge(bin + 1) * (1 + 1e-6) };
}

function pricesThatFit(
  wanting: readonly Uint32Array[],
  places: readonly number[],
  highest: Float64Array,
): BudgetPrices {
  const prices: BudgetPrices = { above: [], at: [], share: [], spare: [] };
  for (const [o, leaving] of wanting.entries()) {
    const room = places[o] ?? 0;
    let staying = 0;
    let bin = bins - 1;
    while (bin >= 0 && staying + (leaving[bin] ?? 0) <= room) staying += leaving[bin--] ?? 0;
    if (bin < 0) {
      prices.above.push(0);
      prices.at.push(0);
      prices.share.push(0);
      prices.spare.push(0);
      continue;
    }
    const { lower, upper } = edgesOf(bin, highest[o] ?? 0);
    prices.above.push(upper);
    prices.at.push(lower);
    prices.share.push((room - staying) / (leaving[bin] ?? 1));
    prices.spare.push(room - staying);
  }
  return prices;
}
