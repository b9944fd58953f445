/** Who may have an offer, as far as the simulated shop goes: offers' rules over what it knows of a customer. */
import { DISCOUNTS, isSelling } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import type { CompiledRule } from '../offers/compile-rule.ts';
import type { Journey } from './journey.ts';
import type { SimulatedOffer } from './offer-effects.ts';

const FEATURES = {
  purchaseCount: ({ orders }) => orders,
  daysSinceLastOrder: ({ lastOrderAt }, at) => (at - lastOrderAt) / dayMs,
  averageOrderValueMinor: ({ spentMinor, orders }) => (orders > 0 ? spentMinor / orders : 0),
  openComplaints: ({ departure }) => departure.openComplaints,
  recentLateDeliveries: ({ departure }) => departure.lateDeliveries,
} as const satisfies Readonly<Record<string, (journey: Journey, at: number) => number>>;

/** Features that offers of the simulated shop may ask for. */
export const KNOWN_FEATURES = Object.keys(FEATURES) as (keyof typeof FEATURES)[];

/**
 * The offers that may go to the customer by e-mail now: consent, rules, no selling amid a complaint, one discount at a time.
 */
export function mailableOffers(journey: Journey, at: number): SimulatedOffer[] {
  if (!journey.traits.consent.email || journey.orders === 0) return [];
  return journey.shop.offers.filter((offer) => isMailable(journey, offer, at));
}

function isMailable(journey: Journey, { offer, rule }: SimulatedOffer, at: number): boolean {
  if (offer.fallback || !offer.channels.includes('email')) return false;
  if (journey.departure.openComplaints > 0 && isSelling(offer)) return false;
  if (DISCOUNTS.has(offer.benefit.kind) && at < journey.discountUntil) return false;
  return rule === undefined || rule(factsOf(journey, at)) === undefined;
}

function factsOf(journey: Journey, at: number): Parameters<CompiledRule>[0] {
  const features = Float32Array.from(KNOWN_FEATURES, (name) => FEATURES[name](journey, at));
  return { features, loyaltyTier: journey.tier, segment: journey.traits.segment };
}
