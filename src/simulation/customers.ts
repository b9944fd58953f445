/** Who a customer is: everything that is settled before the first event, drawn from the customer's own stream. */
import { createRng, cumulativeWeights, type Rng } from '../algorithms/rng.ts';
import type { LoyaltyTier } from '../domain/channel.ts';
import type { Calendar } from './calendar.ts';
import { SEGMENTS, type Segment } from './categories.ts';
import type { SimulationOptions } from './options.ts';
import { directionAround } from './vectors.ts';

/** Kinds of people: tastes gather around as many directions. */
const PERSONAS = 8;
const PERSONA_PULL = 1.2;

export type Population = {
  /** One taste a persona. */
  personas: readonly Float64Array[];
  /** Running sums of the personas' weights in each segment. */
  personaSums: Record<Segment, Float64Array>;
};

export const SHOPPING_CHANNELS = ['web', 'store', 'app'] as const;
export type ShoppingChannel = (typeof SHOPPING_CHANNELS)[number];

export type SimulatedConsent = { web: boolean; store: boolean; app: boolean; email: boolean; phone: boolean };

export type CustomerTraits = {
  customerId: string;
  segment: Segment;
  persona: number;
  taste: Float64Array;
  consent: SimulatedConsent;
  /** First moment of the customer in the history. */
  arrivesAt: number;
  /** true: a customer from before the history began. */
  existing: boolean;
  startingTier: LoyaltyTier;
  /** Orders that are not about running out of something, and browsing visits, per year of mean season. */
  ordersPerYear: number;
  visitsPerYear: number;
  /** Shape of the gamma gaps between orders: the higher, the more regular. */
  regularity: number;
  /** Mean number of picks in an order beyond the first. */
  extraPicks: number;
  /** Probability that a consumable becomes a habit, and the customer's own pace at using things up. */
  habitShare: number;
  pace: number;
  /** How much discounts attract, 0 to 1. */
  priceSensitivity: number;
  ratingShare: number;
  /** Share of orders by channel, in the order of SHOPPING_CHANNELS. */
  channelShares: readonly [number, number, number];
  /** Standard normal; nothing in the events shows it. */
  hiddenTrait: number;
};

export function createPopulation(options: SimulationOptions): Population {
  const rng = createRng(options.seed, 'population');
  const personas = Array.from({ length: PERSONAS }, () => directionAround(undefined, 0, rng));
  const personaSums = Object.fromEntries(
    SEGMENTS.map((segment) => [
      segment,
      cumulativeWeights(Float64Array.from(personas, () => 0.4 + rng.exponential())),
    ]),
  ) as Record<Segment, Float64Array>;
  return { personas, personaSums };
}

/** Share of customers who were there before the history begins. */
const EXISTING_SHARE = 0.35;
const SEGMENT_SUMS = cumulativeWeights([0.4, 0.25, 0.15, 0.2]);
/** Customers mostly use one channel: mostly the web, mostly stores, mostly the app. */
const HOME_CHANNEL_SUMS = cumulativeWeights([0.55, 0.25, 0.2]);

export function drawCustomer(
  index: number,
  population: Population,
  calendar: Calendar,
  rng: Rng,
): CustomerTraits {
  const segment = SEGMENTS[rng.categorical(SEGMENT_SUMS)]!;
  const persona = rng.categorical(population.personaSums[segment]);
  const taste = directionAround(population.personas[persona], PERSONA_PULL, rng);
  const existing = rng.chance(EXISTING_SHARE);
  // New customers come until shortly before the end, more of them when more people shop.
  const arrivesAt = existing ? calendar.atShare(0.03 * rng.next()) : calendar.atShare(0.98 * rng.next());
  const ordersPerYear = 1 + (8 * rng.gamma(1.6)) / 1.6;
  const home = rng.categorical(HOME_CHANNEL_SUMS);
  const loyalty = 0.6 + 0.35 * rng.next();
  const rest = 1 - loyalty;
  const channelShares: [number, number, number] = [rest * 0.6, rest * 0.25, rest * 0.15];
  channelShares[home]! += loyalty;
  const usesApp = home === 2 || rng.chance(0.15);
  return {
    customerId: `c${String(index + 1).padStart(7, '0')}`,
    segment,
    persona,
    taste,
    consent: {
      web: rng.chance(0.95),
      store: rng.chance(0.9),
      app: usesApp && rng.chance(0.7),
      email: rng.chance(0.65),
      phone: rng.chance(0.15),
    },
    arrivesAt,
    existing,
    startingTier: existing ? startingTier(ordersPerYear, rng) : 'none',
    ordersPerYear,
    visitsPerYear: ordersPerYear * (1.5 + rng.gamma(2)) * (home === 1 ? 0.5 : 1),
    regularity: 1 + 2 * rng.next(),
    extraPicks: 0.3 + 0.5 * rng.gamma(2),
    habitShare: 0.1 + 0.35 * rng.next(),
    pace: Math.exp(0.15 * rng.normal()),
    priceSensitivity: rng.next(),
    ratingShare: 0.1 + 0.5 * rng.next(),
    channelShares,
    hiddenTrait: rng.normal(),
  };
}

function startingTier(ordersPerYear: number, rng: Rng): LoyaltyTier {
  const standing = ordersPerYear * Math.exp(0.4 * rng.normal());
  if (standing < 5) return 'none';
  if (standing < 11) return 'bronze';
  if (standing < 18) return 'silver';
  return standing < 28 ? 'gold' : 'platinum';
}
