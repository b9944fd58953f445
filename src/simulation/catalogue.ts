/**
 * The catalogue and what is true of it: each item's place in the space of tastes, its popularity, its quality and how
 * soon it runs out. Items of one category stand next to each other in item order.
 */

import { createRng, type Rng, shuffle } from '../algorithms/rng.ts';
import type { ItemInput } from '../domain/item.ts';
import { dayMs } from '../domain/time.ts';
import type { Calendar } from './calendar.ts';
import { ADJECTIVES, BRANDS, CATEGORIES, type Category } from './categories.ts';
import type { SimulationOptions } from './options.ts';
import { directionAround, TASTE_DIMENSIONS } from './vectors.ts';

export type SimulatedItem = {
  itemId: string;
  name: string;
  brand: string;
  /** Index into `Catalogue.categories`. */
  category: number;
  priceMinor: number;
  marginMinor: number;
  /** Weight within its category, long-tailed. */
  popularity: number;
  /** Stars above (below) the mean rating that the item itself earns. */
  quality: number;
  /** Usual days until it is bought again; 0 = it does not run out. */
  gapDays: number;
  /** Sold from (inclusive) to (exclusive), milliseconds since 1970. */
  availableFrom: number;
  availableTo: number;
  inStock: boolean;
};

export type Catalogue = {
  categories: readonly Category[];
  /** Categories × TASTE_DIMENSIONS: unit vectors. */
  categoryCentres: Float64Array;
  /** Category c holds the items from `categoryStarts[c]` to `categoryStarts[c + 1]`. */
  categoryStarts: Int32Array;
  /** Categories × 12: demand by month, mean near 1. */
  categorySeasons: Float64Array;
  items: readonly SimulatedItem[];
  /** Items × TASTE_DIMENSIONS: unit vectors. */
  itemFactors: Float64Array;
};

/** How strongly an item resembles its brand, and a brand's line in a category that category. */
const BRAND_PULL = 1.3;
const CATEGORY_PULL = 0.6;
/** Exponent of the popularity within a category: weight ∝ (rank + 2)^-TAIL. */
const TAIL = 0.8;

export function createCatalogue(options: SimulationOptions, calendar: Calendar): Catalogue {
  const rng = createRng(options.seed, 'catalogue');
  // No shelf is empty.
  const categories = CATEGORIES.slice(0, options.items);
  const categoryCentres = new Float64Array(categories.length * TASTE_DIMENSIONS);
  const categorySeasons = new Float64Array(categories.length * 12);
  const categoryStarts = new Int32Array(categories.length + 1);
  const items: SimulatedItem[] = [];
  const itemFactors = new Float64Array(options.items * TASTE_DIMENSIONS);
  const sizes = shelfSizes(options.items, categories);
  for (let c = 0; c < categories.length; c++) {
    const category = categories[c]!;
    const centre = directionAround(undefined, 0, rng);
    categoryCentres.set(centre, c * TASTE_DIMENSIONS);
    for (let month = 0; month < 12; month++) {
      const angle = (2 * Math.PI * (month + 1 - category.peakMonth)) / 12;
      categorySeasons[c * 12 + month] = Math.exp(category.swing * Math.cos(angle));
    }
    const brands = drawBrands(sizes[c]!, centre, rng);
    // In an order of chance, so that an item's place on the shelf tells nothing of its popularity.
    const ranks = shuffle(
      Array.from({ length: sizes[c]! }, (_, rank) => rank),
      rng,
    );
    for (const rank of ranks) {
      const brand = brands[rng.nextInt(brands.length)]!;
      itemFactors.set(directionAround(brand.line, BRAND_PULL, rng), items.length * TASTE_DIMENSIONS);
      items.push(drawItem(items.length, c, category, brand.name, rank, calendar, rng));
    }
    categoryStarts[c + 1] = items.length;
  }
  return { categories, categoryCentres, categoryStarts, categorySeasons, items, itemFactors };
}

export function catalogueItem(catalogue: Catalogue, item: SimulatedItem, endAt: number): ItemInput {
  return {
    itemId: item.itemId,
    name: item.name,
    category: catalogue.categories[item.category]!.name,
    brand: item.brand,
    priceMinor: item.priceMinor,
    marginMinor: item.marginMinor,
    inStock: item.inStock,
    discontinued: item.availableTo < endAt,
  };
}

/** At least one item a category, the rest by size (largest remainder). */
function shelfSizes(items: number, categories: readonly Category[]): number[] {
  const spare = items - categories.length;
  const total = categories.reduce((sum, { size }) => sum + size, 0);
  const shares = categories.map(({ size }) => (spare * size) / total);
  const sizes = shares.map((share) => 1 + Math.floor(share));
  const byRemainder = shares
    .map((share, c) => ({ c, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.c - b.c);
  const missing = items - sizes.reduce((sum, size) => sum + size, 0);
  for (const { c } of byRemainder.slice(0, missing)) sizes[c]!++;
  return sizes;
}

type Brand = { name: string; line: Float64Array };

function drawBrands(shelfSize: number, centre: Float64Array, rng: Rng): Brand[] {
  const count = Math.min(8, Math.max(2, Math.round(shelfSize / 6)));
  const first = rng.nextInt(BRANDS.length);
  return Array.from({ length: count }, (_, i) => ({
    // Steps of 7 through 30 names: no name twice on a shelf.
    name: BRANDS[(first + 7 * i) % BRANDS.length]!,
    line: directionAround(centre, CATEGORY_PULL, rng),
  }));
}

function drawItem(
  index: number,
  categoryIndex: number,
  category: Category,
  brand: string,
  rank: number,
  calendar: Calendar,
  rng: Rng,
): SimulatedItem {
  const noun = category.nouns[rng.nextInt(category.nouns.length)]!;
  const adjective = ADJECTIVES[rng.nextInt(ADJECTIVES.length)]!;
  const priceMinor = retailPrice(category.priceMinor * Math.exp(category.priceSpread * rng.normal()));
  const marginShare = 0.2 + 0.35 * rng.next();
  const consumable = rng.chance(category.consumableShare);
  const gapDays = Math.min(180, Math.max(7, category.gapDays * Math.exp(0.3 * rng.normal())));
  const quality = 0.35 * rng.normal();
  const spanMs = calendar.endAt - calendar.startAt;
  // One in eight is launched and one in thirty discontinued within the span; a best seller is neither.
  const settled = rank === 0;
  const launched = !settled && rng.chance(1 / 8);
  const dropped = !settled && !launched && rng.chance(1 / 30);
  const changesAt = calendar.startAt + Math.floor((0.1 + 0.8 * rng.next()) * (spanMs / dayMs)) * dayMs;
  const soldOut = rng.chance(0.02);
  return {
    itemId: `i${String(index + 1).padStart(5, '0')}`,
    name: `${brand} ${adjective} ${noun}`,
    brand,
    category: categoryIndex,
    priceMinor,
    marginMinor: Math.round(priceMinor * marginShare),
    popularity: (rank + 2) ** -TAIL,
    quality,
    gapDays: consumable ? Math.round(gapDays * 10) / 10 : 0,
    availableFrom: launched ? changesAt : Number.NEGATIVE_INFINITY,
    availableTo: dropped ? changesAt : Number.POSITIVE_INFINITY,
    inStock: !soldOut,
  };
}

/** The way shops write prices: 4.49, 23.99, 129.00. */
function retailPrice(minor: number): number {
  if (minor < 1000) return Math.max(99, Math.round(minor / 50) * 50 - 1);
  return minor < 10_000 ? Math.round(minor / 100) * 100 - 1 : Math.round(minor / 500) * 500;
}
