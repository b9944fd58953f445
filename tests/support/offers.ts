/** Offers, items and customer facts for tests: valid as they are, each test states what matters to it. */

import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import type { Item } from '../../src/domain/item.ts';
import { Item as ItemSchema } from '../../src/domain/item.ts';
import type { Offer, OfferInput } from '../../src/domain/offer.ts';
import { Offer as OfferSchema } from '../../src/domain/offer.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import type { Contact } from '../../src/offers/contact-history.ts';
import { compileContactPolicy } from '../../src/offers/contact-policy.ts';
import type { Economics } from '../../src/offers/cost.ts';
import type { CustomerFacts, Situation } from '../../src/offers/customer-facts.ts';
import { compileOffer } from '../../src/offers/eligibility.ts';
import { compileExperiments } from '../../src/offers/experiments.ts';
import type { OfferMarket } from '../../src/offers/offer-market.ts';
import { offerSubject } from '../../src/offers/offer-subject.ts';
import { shopStatistics } from '../../src/offers/shop-statistics.ts';

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
    subjectId: 'c1',
    loyaltyTier: 'none',
    segment: undefined,
    consent: { email: true, phone: true },
    timeZone: undefined,
    complaintOpen: false,
    lastRatedBelow: () => undefined,
    offerAnswers: [],
    standing: { grievance: 0, takesPart: 0 },
    contacts: [],
    features: new Float32Array(),
    churnRisk: undefined,
    remainingLifetimeValueMinor: undefined,
    effectOf: () => undefined,
    averageOrderMinor: 10_000,
    categoryShares: new Map(),
    categoryEvidence: 0,
    tasteRank: () => undefined,
    ...facts,
  };
}

/** By e-mail an hour before noon, of another offer than the test's own. */
export function makeContact(contact: Partial<Contact> = {}): Contact {
  const at = contact.at ?? noon - hourMs;
  return {
    occasionId: 'o1',
    decisionId: 'd1',
    offerId: 'another',
    channel: 'email',
    at,
    discount: false,
    redeemableUntil: at + 14 * dayMs,
    state: 'confirmed',
    stateAt: at,
    expiresAt: at + dayMs,
    ...contact,
  };
}

export function makeSituation(situation: Partial<Situation> = {}): Situation {
  return {
    channel: 'web',
    placements: ['default'],
    now: noon,
    basketMinor: undefined,
    isBuyable: () => true,
    ...situation,
  };
}

export const economics: Economics = { pointValueMinor: 1, pointsPerCurrencyUnit: 1, minorPerUnit: 100 };

/** A market of these offers over a catalogue without items, by the policy's defaults unless it says otherwise. */
export function makeMarket(
  offers: readonly Offer[],
  featureNames: readonly string[],
  more: Partial<OfferMarket> = {},
): OfferMarket {
  const policy = more.policy ?? DecisionPolicy.parse({});
  const shop = more.shop ?? shopStatistics([makeItem({ itemId: 'tea', priceMinor: 1000, marginMinor: 400 })]);
  return {
    offers: offers.map((offer) => compileOffer(offer, featureNames)),
    items: new Map(),
    shop,
    subjectOf: (offer) => offerSubject(offer, new Map(), shop),
    countsOf: () => ({ made: 0, redeemed: 0 }),
    budgetReason: () => undefined,
    affordExploring: () => true,
    economics,
    policy,
    contactPolicy: compileContactPolicy(policy.contact),
    experiments: compileExperiments(policy),
    policyVersion: 'test',
    currency: 'EUR',
    ...more,
  };
}
