/**
 * What is true of the simulated shop and no shop would know: `truth.ndjson`, one line for the shop, one an item and one a
 * customer. Models are judged by it; nothing may be trained on it.
 */

import { HAZARD } from './departure.ts';
import { effectsOf, type OfferEffects } from './expected-effects.ts';
import type { Journey, Shop } from './journey.ts';
import type { SimulatedOffer } from './offer-effects.ts';
import { CATEGORY_TASTE, ITEM_TASTE } from './taste-sampler.ts';
import { TASTE_DIMENSIONS } from './vectors.ts';

export type ShopTruth = {
  kind: 'shop';
  seed: number;
  customers: number;
  items: number;
  days: number;
  end: string;
  /** Start of every event id. */
  run: string;
  tasteDimensions: number;
  categoryTaste: number;
  itemTaste: number;
  hazard: typeof HAZARD;
  categories: { name: string; size: number; centre: number[]; seasons: number[] }[];
  personas: number[][];
};

export type ItemTruth = {
  kind: 'item';
  itemId: string;
  category: string;
  factors: number[];
  /** Weight within its category. */
  popularity: number;
  /** Stars above the mean rating. */
  quality: number;
  /** Usual days until it is bought again; null = it does not run out. */
  gapDays: number | null;
  /** First and last (exclusive) instant of sale within the history; null = sold all along. */
  availableFrom: string | null;
  availableTo: string | null;
};

export type CustomerTruth = {
  kind: 'customer';
  customerId: string;
  segment: string;
  persona: number;
  taste: number[];
  existing: boolean;
  arrivedAt: string;
  ordersPerYear: number;
  visitsPerYear: number;
  priceSensitivity: number;
  hiddenTrait: number;
  orders: number;
  /** Meant to buy once, or was put off by the first order. */
  oneTime: boolean;
  /** When the customer began to come less; null = did not. */
  fadingFrom: string | null;
  /**
   * From this instant on nothing comes from the customer (the shop still writes, points expire); null = still a customer when
   * the history ends.
   */
  churnedAt: string | null;
  /** Integrated hazard by its sources (see `departure.ts`), and the hidden factor on all of them. */
  hazard: {
    frailty: number;
    unobserved: number;
    observed: { lateDelivery: number; lowRating: number; openComplaint: number; irritation: number };
    /** What would have come on top of these without points redeemed, without taking part, and without offers that care. */
    averted: { pointsRedeemed: number; tookPart: number; caredFor: number };
  };
  habits: { itemId: string; gapDays: number; quantity: number }[];
  /**
   * What each offer would do by e-mail as the history ends, whether the customer may have it or not (`expected-effects.ts`).
   */
  offers: ({ offerId: string } & OfferEffects)[];
};

export function shopTruth({ options, run, catalogue, population }: Shop): string {
  return line<ShopTruth>({
    kind: 'shop',
    seed: options.seed,
    customers: options.customers,
    items: options.items,
    days: options.days,
    end: options.end,
    run,
    tasteDimensions: TASTE_DIMENSIONS,
    categoryTaste: CATEGORY_TASTE,
    itemTaste: ITEM_TASTE,
    hazard: HAZARD,
    categories: catalogue.categories.map(({ name, size }, c) => ({
      name,
      size,
      centre: rounded(catalogue.categoryCentres.subarray(c * TASTE_DIMENSIONS, (c + 1) * TASTE_DIMENSIONS)),
      seasons: rounded(catalogue.categorySeasons.subarray(c * 12, (c + 1) * 12)),
    })),
    personas: population.personas.map(rounded),
  });
}

export function itemTruth({ catalogue }: Shop, index: number): string {
  const item = catalogue.items[index]!;
  return line<ItemTruth>({
    kind: 'item',
    itemId: item.itemId,
    category: catalogue.categories[item.category]!.name,
    factors: rounded(
      catalogue.itemFactors.subarray(index * TASTE_DIMENSIONS, (index + 1) * TASTE_DIMENSIONS),
    ),
    popularity: round(item.popularity),
    quality: round(item.quality),
    gapDays: item.gapDays > 0 ? item.gapDays : null,
    availableFrom: instantOrNull(item.availableFrom),
    availableTo: instantOrNull(item.availableTo),
  });
}

export function customerTruth(journey: Journey): string {
  const { traits, departure, shop } = journey;
  const { hidden, lateDelivery, lowRating, openComplaint, irritation } = departure.sources;
  return line<CustomerTruth>({
    kind: 'customer',
    customerId: traits.customerId,
    segment: traits.segment,
    persona: traits.persona,
    taste: rounded(traits.taste),
    existing: traits.existing,
    arrivedAt: new Date(traits.arrivesAt).toISOString(),
    ordersPerYear: round(traits.ordersPerYear),
    visitsPerYear: round(traits.visitsPerYear),
    priceSensitivity: round(traits.priceSensitivity),
    hiddenTrait: round(traits.hiddenTrait),
    orders: journey.orders,
    oneTime: journey.oneTime,
    fadingFrom: instantOrNull(journey.fadingFrom),
    churnedAt: instantOrNull(journey.churnedAt),
    hazard: {
      frailty: round(departure.frailty),
      unobserved: round(hidden),
      observed: {
        lateDelivery: round(lateDelivery),
        lowRating: round(lowRating),
        openComplaint: round(openComplaint),
        irritation: round(irritation),
      },
      averted: {
        pointsRedeemed: round(departure.averted.pointsRedeemed),
        tookPart: round(departure.averted.tookPart),
        caredFor: round(departure.averted.caredFor),
      },
    },
    habits: journey.everyHabit.map(({ item, gapDays, quantity }) => ({
      itemId: shop.catalogue.items[item]!.itemId,
      gapDays: round(gapDays),
      quantity,
    })),
    offers: shop.offers.flatMap((simulated) => offerTruth(journey, simulated) ?? []),
  });
}

function offerTruth(
  journey: Journey,
  simulated: SimulatedOffer,
): CustomerTruth['offers'][number] | undefined {
  const { offerId, channels, fallback } = simulated.offer;
  if (fallback || !channels.includes('email')) return undefined;
  const effects = effectsOf(journey, simulated, journey.shop.calendar.endAt);
  return {
    offerId,
    kind: effects.kind,
    additionalOrders: round(effects.additionalOrders),
    uplift: round(effects.uplift),
    redeemed: round(effects.redeemed),
    churn: round(effects.churn),
  };
}

function line<Truth>(truth: Truth): string {
  return `${JSON.stringify(truth)}\n`;
}

/** Four decimals: more would be noise in a file that people read. */
function round(x: number): number {
  return Math.round(x * 10_000) / 10_000;
}

function rounded(vector: Float64Array): number[] {
  return Array.from(vector, round);
}

function instantOrNull(at: number | undefined): string | null {
  return at === undefined || !Number.isFinite(at) ? null : new Date(at).toISOString();
}
