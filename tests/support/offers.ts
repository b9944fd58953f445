/** Offers, items and customer facts for tests: valid as they are, each test states what matters to it. */
import type { Item } from '../../src/domain/item.ts';
import { Item as ItemSchema } from '../../src/domain/item.ts';
import type { Offer, OfferInput } from '../../src/domain/offer.ts';
import { Offer as OfferSchema } from '../../src/domain/offer.ts';
import type { CustomerFacts, Situation } from '../../src/offers/customer-facts.ts';

export const noon = Date.parse('2026-06-15T12:00:00Z');

/** 10 % off the whole shop, on every channel. */
export function makeOffer(input: Partial<Record<keyof OfferInput, unknown>> = {}): Offer {
  return OfferSchema.parse({
    offerId: 'offer',
    name: 'An offer',
    benefit: { kind: 'percentOff', percent: 10 },
    channels: ['web', 'store', 'app', 'email', 'phone'],
    ...input,
  });
}

export function makeItem(input: { itemId: string } & Partial<Record<keyof Item, unknown>>): Item {
  return ItemSchema.parse(input);
}

export function itemsById(...items: Item[]): Map<string, Item> {
  return new Map(items.map((item) => [item.itemId, item]));
}

/** A customer who has consented to everything and has nothing special about them. */
export function makeFacts(facts: Partial<CustomerFacts> = {}): CustomerFacts {
  return {
    loyaltyTier: 'none',
    segment: undefined,
    consent: { email: true, phone: true },
    complaintOpen: false,
    features: new Float32Array(),
    churnRisk: undefined,
    averageOrderMinor: 10_000,
    categoryShares: new Map(),
    categoryEvidence: 0,
    tasteRank: () => undefined,
    ...facts,
  };
}

export function makeSituation(situation: Partial<Situation> = {}): Situation {
  return { channel: 'web', placements: ['default'], now: noon, isBuyable: () => true, ...situation };
}
