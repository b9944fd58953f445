/**
 * Who gets an offer whose budget does not suffice for all: by value over the whole list, not by who comes first. Each budgeted
 * offer has a price; a customer gets the offers of the highest value less price, as many as she may have, or none where nothing
 * is left of it. The prices are those at which each budget suffices.
 *
 * They are found by turns, from 0 up: given the prices of the others, an offer's price is the lowest at which those who still want
 * it fit. As offers only stand in for each other here (they are gross substitutes: of so many, and of discounts one), no price ever
 * has to fall again, and they end at the least that clear the market (Gul and Stacchetti 1999). That is done on a sample, which is the
 * whole list where it is short; a few rounds over the whole of a long list then set right what the sample could not tell.
 */

/**
 * What consecutive customers could have: `width` places for each, filled from the first. `values` and `offers` are views of one
 * buffer, a customer's numbers `valueStride` and `offerStride` apart, each customer's first at `valuesAt` and `offersAt`.
 */
export type WantedBlock = {
  customers: number;
  width: number;
  /** Minor units, above 0. */
  values: Float32Array;
  valueStride: number;
  /** Position among the offers + 1; 0 = no further one. */
  offers: Uint16Array;
  offersAt: number;
  offerStride: number;
};

/** What is left of an offer's budget; Infinity = no limit. */
export type Supply = { amountMinor: number; count: number; costMinor: number };

/** How many offers a customer may have at most, and of which of them (by position) one alone. */
export type HowMany = { limit: number; exclusive: readonly boolean[] };

/** Reads the whole list again. */
export type WantedBlocks = () => AsyncIterable<WantedBlock> | Iterable<WantedBlock>;

/** Customers that prices begin with, and how often each offer has its turn. */
const sampleMax = 10_000;
const turnsMax = 200;
/** Rounds over the whole list after that. */
const roundsMax = 6;

/** Prices are told apart this finely: bins of equal ratio, from the highest value down to a millionth of it. */
const bins = 4096;
const octaves = 20;

/**
 * By offer, in minor units. Whoever wants the offer at `above` gets it; of those who want it at `at` alone, and so are all worth
 * about the same to it, `share` do, at most `spare` of them. All 0 where the budget suffices for everybody.
 */
export type BudgetPrices = { above: number[]; at: number[]; share: number[]; spare: number[] };

export async function budgetPrices(
  blocks: WantedBlocks,
  supplies: readonly Supply[],
  howMany: HowMany,
): Promise<BudgetPrices> {
  const places = supplies.map(placesOf);
  const highest = await highestValues(blocks, supplies.length);
  const { sample, share } = await sampleOf(blocks);
  const first = clearingPrices(
    sample,
    places.map((count) => count * share),
    howMany,
  );
  const none = supplies.map(() => 0);
  let prices: BudgetPrices = { above: [...first], at: [...first], share: none, spare: none };
  for (let round = 0; ; round++) {
    const wanting = await demandByPrice(blocks, prices, highest, howMany);
    const next = pricesThatFit(wanting, places, highest);
    const moved = next.above.some((price, o) => {
      const before = prices.above[o] ?? 0;
      return Math.abs(price - before) > 0.005 * Math.max(price, before);
    });
    if (!moved || round === roundsMax - 1) return next;
    // Half the way, so that two offers for the same customers do not chase each other.
    const half = (to: readonly number[], from: readonly number[]) =>
      to.map((price, o) => (price + (from[o] ?? 0)) / 2);
    prices = { ...next, above: half(next.above, prices.above), at: half(next.at, prices.at) };
  }
}

/** Every n-th customer, as one block, and the share of all that they are. */
async function sampleOf(blocks: WantedBlocks): Promise<{ sample: WantedBlock; share: number }> {
  let customers = 0;
  let width = 1;
  for await (const block of blocks()) {
    customers += block.customers;
    width = block.width;
  }
  const every = Math.max(1, Math.ceil(customers / sampleMax));
  const taken = Math.ceil(customers / every);
  const sample: WantedBlock = {
    customers: taken,
    width,
    values: new Float32Array(taken * width),
    valueStride: width,
    offers: new Uint16Array(taken * width),
    offersAt: 0,
    offerStride: width,
  };
  let at = 0;
  for await (const block of blocks()) {
    for (let row = 0; row < block.customers; row++, at++) {
      if (at % every !== 0) continue;
      for (let w = 0; w < width; w++) {
        sample.values[(at / every) * width + w] = valueAt(block, row, w);
        sample.offers[(at / every) * width + w] = offerAt(block, row, w) + 1;
      }
    }
  }
  return { sample, share: customers === 0 ? 1 : taken / customers };
}

/** The least prices at which as many as there are places for want each offer, or none pays for it. */
function clearingPrices(sample: WantedBlock, places: readonly number[], howMany: HowMany): Float64Array {
  const prices = new Float64Array(places.length);
  // Of each offer, who could want it, and in which place of hers.
  const wanting: { rows: number[]; at: number[] }[] = places.map(() => ({ rows: [], at: [] }));
  for (let row = 0; row < sample.customers; row++)
    for (let w = 0; w < sample.width; w++) {
      const offer = offerAt(sample, row, w);
      if (offer < 0) break;
      wanting[offer]?.rows.push(row);
      wanting[offer]?.at.push(w);
    }
  const list = createList(sample.width);
  for (let turn = 0; turn < turnsMax; turn++) {
    let moved = false;
    for (const [offer, { rows, at }] of wanting.entries()) {
      const room = Math.round(places[offer] ?? 0);
      // All who could want it fit.
      if (rows.length <= room) continue;
      const leavesAt = new Float64Array(rows.length);
      for (const [n, row] of rows.entries()) {
        list.length = 0;
        for (let other = 0; other < sample.width; other++) {
          const of = offerAt(sample, row, other);
          if (of < 0) break;
          insert(list, of, valueAt(sample, row, other) - (prices[of] ?? 0));
        }
        leavesAt[n] = valueAt(sample, row, at[n] ?? 0) - instead(list, offer, howMany);
      }
      leavesAt.sort();
      const price = Math.max(0, leavesAt[leavesAt.length - 1 - room] ?? 0);
      const before = prices[offer] ?? 0;
      if (price - before > 0.001 * price) moved = true;
      prices[offer] = Math.max(before, price);
    }
    if (!moved) break;
  }
  return prices;
}

/** Offers that have a price: a customer may have them only as her share. */
export function isShort({ above }: BudgetPrices, offer: number): boolean {
  return (above[offer] ?? 0) > 0;
}

/**
 * What each customer of the list gets of the offers that have a price, in its order: for each `limit` places with the position
 * + 1, 0 = no further one. Never more of an offer than there are places: of those to whom it is worth about the same, whoever comes
 * after the last place has the next best.
 */
export async function* shareOut(
  blocks: WantedBlocks,
  prices: BudgetPrices,
  supplies: readonly Supply[],
  howMany: HowMany,
): AsyncGenerator<Uint16Array> {
  const left = supplies.map(placesOf);
  const spare = [...prices.spare];
  let customer = 0;
  for await (const block of blocks()) {
    const shares = new Uint16Array(block.customers * howMany.limit);
    const list = createList(block.width);
    for (let row = 0; row < block.customers; row++, customer++) {
      let count = 0;
      list.length = 0;
      for (let w = 0; w < block.width; w++) {
        const offer = offerAt(block, row, w);
        if (offer < 0) break;
        if ((left[offer] ?? 0) <= 0) continue;
        const value = valueAt(block, row, w);
        const above = prices.above[offer] ?? 0;
        const drawn = (spare[offer] ?? 0) >= 1 && value <= above;
        const price = drawn ? priceFor(prices, offer, customer) : above;
        if (value > price) insert(list, offer, value - price, drawn);
      }
      let exclusives = 0;
      for (let n = 0, had = 0; n < list.length && had < howMany.limit; n++) {
        const offer = list.offers[n] ?? 0;
        if (howMany.exclusive[offer] && exclusives++ > 0) continue;
        had++;
        left[offer] = (left[offer] ?? 0) - 1;
        if (list.spare[n]) spare[offer] = (spare[offer] ?? 0) - 1;
        if (isShort(prices, offer)) shares[row * howMany.limit + count++] = offer + 1;
      }
    }
    yield shares;
  }
}

function offerAt(block: WantedBlock, row: number, w: number): number {
  return (block.offers[block.offersAt + row * block.offerStride + w] ?? 0) - 1;
}

function valueAt(block: WantedBlock, row: number, w: number): number {
  return block.values[row * block.valueStride + w] ?? 0;
}

/** One customer's offers, by what is left of their values, most first; made once for all customers. */
type List = { offers: Int32Array; left: Float64Array; spare: Uint8Array; length: number };

function createList(width: number): List {
  return {
    offers: new Int32Array(width),
    left: new Float64Array(width),
    spare: new Uint8Array(width),
    length: 0,
  };
}

function insert(list: List, offer: number, left: number, spare = false): void {
  let at = list.length++;
  for (; at > 0 && (list.left[at - 1] ?? 0) < left; at--) {
    list.offers[at] = list.offers[at - 1] ?? 0;
    list.left[at] = list.left[at - 1] ?? 0;
    list.spare[at] = list.spare[at - 1] ?? 0;
  }
  list.offers[at] = offer;
  list.left[at] = left;
  list.spare[at] = spare ? 1 : 0;
}

function priceFor({ above, at, share }: BudgetPrices, offer: number, customer: number): number {
  const price = above[offer] ?? 0;
  if (price === 0) return 0;
  return uniformOfPair(customer, offer) < (share[offer] ?? 0) ? (at[offer] ?? 0) : price;
}

/** In [0, 1): the same for the same customer and offer, and as good as chance over customers (MurmurHash3's finalizer). */
function uniformOfPair(customer: number, offer: number): number {
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

async function highestValues(blocks: WantedBlocks, offers: number): Promise<Float64Array> {
  const highest = new Float64Array(offers);
  for await (const block of blocks())
    for (let row = 0; row < block.customers; row++)
      for (let w = 0; w < block.width; w++) {
        const offer = offerAt(block, row, w);
        if (offer < 0) break;
        highest[offer] = Math.max(highest[offer] ?? 0, valueAt(block, row, w));
      }
  return highest;
}

/** For each offer, how many would leave it at each price, given the prices of the others. */
async function demandByPrice(
  blocks: WantedBlocks,
  prices: BudgetPrices,
  highest: Float64Array,
  howMany: HowMany,
): Promise<Uint32Array[]> {
  const leaving = Array.from(highest, () => new Uint32Array(bins));
  let customer = 0;
  for await (const block of blocks()) {
    const list = createList(block.width);
    for (let row = 0; row < block.customers; row++, customer++) {
      list.length = 0;
      for (let w = 0; w < block.width; w++) {
        const offer = offerAt(block, row, w);
        if (offer < 0) break;
        insert(list, offer, valueAt(block, row, w) - priceFor(prices, offer, customer));
      }
      for (let w = 0; w < block.width; w++) {
        const offer = offerAt(block, row, w);
        if (offer < 0) break;
        const leavesAt = valueAt(block, row, w) - instead(list, offer, howMany);
        const ofOffer = leaving[offer];
        if (leavesAt <= 0 || ofOffer === undefined) continue;
        const bin = binOf(leavesAt, highest[offer] ?? 0);
        ofOffer[bin] = (ofOffer[bin] ?? 0) + 1;
      }
    }
  }
  return leaving;
}

/** What is left of the value of the last that the customer would have without this offer: where it leaves less, she has that. */
function instead(list: List, offer: number, { limit, exclusive }: HowMany): number {
  let had = 0;
  let exclusives = 0;
  for (let n = 0; n < list.length; n++) {
    const other = list.offers[n] ?? 0;
    const left = list.left[n] ?? 0;
    if (left <= 0) return 0;
    if (other === offer) continue;
    if (exclusive[other]) {
      if (exclusive[offer]) return left;
      if (exclusives++ > 0) continue;
    }
    if (++had === limit) return left;
  }
  return 0;
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
