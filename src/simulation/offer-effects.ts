/**
 * What an offer does to a customer, in truth. Each customer answers each offer in a way of their own, which follows from
 * traits that partly show in the features (price sensitivity in the share of discounts, rhythm in the gaps between orders,
 * channels, tier, opened messages, grievances, taste) and partly are hidden: it can be learnt, but not read off.
 *
 *   seen        P(the message is read)
 *   persuaded   P(an order besides the customer's own within the window | seen)
 *   uses        P(it is redeemed on an own order of the window | seen, not persuaded): cost without gain
 *   irritation  grievance that the contact adds to the hazard of leaving, read or not; grows with every contact of late
 *   caredFor    bond that it adds | seen
 *   wonBack     P(a fading customer stays after all | seen)
 *
 * Probabilities are logistic in the traits, irritation is log-normal. All of them are expectations: nothing is drawn here.
 */
import { createRng } from '../algorithms/rng.ts';
import { type Benefit, DISCOUNTS, isSelling, Offer, type OfferInput } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import { type CompiledRule, compileRule } from '../offers/compile-rule.ts';
import { contentVersion } from '../offers/content-version.ts';
import { YEAR_DAYS } from './calendar.ts';
import type { Catalogue } from './catalogue.ts';
import { isActive, type Journey } from './journey.ts';
import { KNOWN_FEATURES } from './standing.ts';
import { CATEGORY_TASTE } from './taste-sampler.ts';
import { dotAt, TASTE_DIMENSIONS } from './vectors.ts';

/**
 * `categories`: indices of the catalogue's categories that it is about; empty = the whole shop. `items`: those of the items that a bundle is
 * made of; empty = none. `number`: among the shop's offers.
 */
export type SimulatedOffer = {
  number: number;
  /** As it is written, and as it is read. */
  input: OfferInput;
  offer: Offer;
  version: string;
  /** Who may have it; undefined = everybody. */
  rule: CompiledRule | undefined;
  categories: readonly number[];
  items: readonly number[];
};

export function offersOf(
  inputs: readonly OfferInput[],
  { categories: shelves, items: sold }: Pick<Catalogue, 'categories' | 'items'>,
): SimulatedOffer[] {
  return inputs.map((input, number) => {
    const offer = Offer.parse(input);
    const items = offer.itemIds.map((itemId) => sold.findIndex((item) => item.itemId === itemId));
    return {
      number,
      input,
      offer,
      version: contentVersion(offer),
      rule: offer.eligibility && compileRule(offer.eligibility, KNOWN_FEATURES),
      categories: [
        ...offer.categories.map((name) => indexOf(shelves, name)),
        ...new Set(items.flatMap((item) => sold[item]?.category ?? [])),
      ],
      items,
    };
  });
}

function indexOf(shelves: readonly { name: string }[], name: string): number {
  const index = shelves.findIndex((shelf) => shelf.name === name);
  if (index < 0) throw new Error(`an offer is about ${name}, which the shop does not have`);
  return index;
}

/**
 * What no order of the customer's own redeems: an invitation (as little as a service or news, which do not sell), and a bundle,
 * all of whose items hardly any order holds by chance.
 */
const BROUGHT_ONLY: ReadonlySet<Benefit['kind']> = new Set(['communityInvitation', 'bundle']);

/** How the customer is disposed to offers; nothing in the events shows it by itself. */
export type Disposition = {
  /** Towards all offers, and towards each by its number, in logits. */
  openness: number;
  taste: readonly number[];
  /** Logarithm of the part of the irritation that no trait explains. */
  touchiness: number;
  /** Contacts of late: each adds 1, and half is forgotten after two weeks. */
  fatigue: number;
  fatigueAt: number;
};

export type OfferResponse = {
  seen: number;
  persuaded: number;
  uses: number;
  irritation: number;
  caredFor: number;
  wonBack: number;
};

const OPENNESS_SPREAD = 0.3;
const TASTE_SPREAD = 0.25;
const TOUCHINESS_SPREAD = 0.3;
const FATIGUE_HALF_LIFE_DAYS = 14;
const FADING_SEEN_SHARE = 0.5;
/** Sum of weighted grievances from which on a customer has something to complain about: half a fresh one. */
const AGGRIEVED = 4;

type KindTraits = {
  /** Logit of `persuaded` for a customer in the middle of everything. */
  pull: number;
  /** What price sensitivity, a tier, taking part in the community, and buying online add, each from its middle. */
  price: number;
  member: number;
  sociable: number;
  online: number;
  caredFor: number;
};

const traits = (
  pull: number,
  price: number,
  member: number,
  sociable: number,
  online: number,
  caredFor: number,
): KindTraits => ({ pull, price, member, sociable, online, caredFor });

const KINDS: Readonly<Record<Benefit['kind'], KindTraits>> = {
  percentOff: traits(-0.2, 5, 0, 0, 0.5, 0),
  amountOff: traits(-0.2, 5, 0, 0, 0.5, 0),
  bundle: traits(-1.2, 3, 0, 0, 0.5, 0),
  freeDelivery: traits(-0.4, 2, -0.3, 0, 4, 0),
  gift: traits(-1.2, 0.5, 0.6, 1, 0, 0.05),
  loyaltyPoints: traits(-1.4, 0.5, 2, 0, 0, 0.05),
  pointsMultiplier: traits(-1.4, 0.5, 2, 0, 0, 0.05),
  tierTrial: traits(-2.6, 0, 1, 0, 0, 0.2),
  earlyAccess: traits(-2.6, -1.5, 1, 0.8, 0.8, 0.2),
  serviceContact: traits(-5, 0, 0, 0, 0, 0.02),
  communityInvitation: traits(-4, 0, 0.3, 2.5, 0, 0),
  content: traits(-3.4, 0, 0.3, 0.5, 0.5, 0.02),
};

export function createDisposition(seed: number, index: number, offers: number): Disposition {
  const rng = createRng(seed, 'customer', index, 'disposition');
  return {
    openness: OPENNESS_SPREAD * rng.normal(),
    touchiness: TOUCHINESS_SPREAD * rng.normal(),
    taste: Array.from({ length: offers }, () => TASTE_SPREAD * rng.normal()),
    fatigue: 0,
    fatigueAt: 0,
  };
}

/** A contact wears: the more of them of late, the less the next one does, and the more it irritates. */
export function addFatigue(disposition: Disposition, at: number): void {
  disposition.fatigue = fatigueAt(disposition, at) + 1;
  disposition.fatigueAt = at;
}

function fatigueAt({ fatigue, fatigueAt: since }: Disposition, at: number): number {
  return fatigue * 2 ** ((since - at) / (FATIGUE_HALF_LIFE_DAYS * dayMs));
}

const NO_RESPONSE: OfferResponse = {
  seen: 0,
  persuaded: 0,
  uses: 0,
  irritation: 0,
  caredFor: 0,
  wonBack: 0,
};

/** How the customer would respond to the offer if it were made now. Who is gone does not. */
export function responseTo(journey: Journey, simulated: SimulatedOffer, at: number): OfferResponse {
  if (!isActive(journey)) return NO_RESPONSE;
  const { offer } = simulated;
  const { traits: own, disposition, engagement, departure, shop } = journey;
  const kind = KINDS[offer.benefit.kind];
  const [web, store, app] = own.channelShares;
  const price = own.priceSensitivity - 0.5;
  const member = journey.tier === 'none' ? 0 : 1;
  const sociable = engagement.activitiesPerYear > 0 ? 1 : 0;
  const fading = journey.phase === 'fading';
  const fatigue = fatigueAt(disposition, at);
  const { grievances, openComplaints } = departure.standing();
  const aggrieved = Math.min(1, (grievances + openComplaints) / (2 * AGGRIEVED));
  const selling = isSelling(offer);

  const persuasion =
    kind.pull +
    kind.price * price +
    kind.member * (member - 0.5) +
    kind.sociable * (sociable - 0.3) +
    kind.online * (web + app - 0.7) +
    depthOf(offer.benefit) +
    interestIn(journey, simulated) +
    disposition.openness +
    (disposition.taste[simulated.number] ?? 0) -
    // Who orders often anyway has little room for another order.
    1.2 * Math.max(0, Math.log(ordersPerYear(journey) / 6)) -
    0.6 * fatigue -
    (fading ? 1 : 0) -
    (selling ? 1.5 * aggrieved : 0);
  // A discount tells who does not look at prices that the shop thinks so.
  const irritation = Math.exp(
    -5 +
      disposition.touchiness +
      6 * (store - 0.3) -
      3 * (engagement.openShare - 0.4) -
      1.2 * (member - 0.5) -
      (DISCOUNTS.has(offer.benefit.kind) ? 2 * price : 0) +
      (selling ? 1.6 * aggrieved : -1.5) +
      0.7 * fatigue,
  );
  return {
    // A message with an offer in it is read more often than the news.
    seen: Math.min(0.95, 0.45 + 0.6 * engagement.openShare) * (fading ? FADING_SEEN_SHARE : 1),
    persuaded: logistic(persuasion),
    uses: selling && !BROUGHT_ONLY.has(offer.benefit.kind) ? logistic(0.4 + 0.5 * kind.price * price) : 0,
    irritation: Math.min(2, irritation),
    caredFor: shop.contactsKeep * careOf(offer, kind, { member, sociable, aggrieved, price }),
    wonBack: fading
      ? shop.contactsKeep *
        logistic(
          -1.6 +
            (offer.retention ? 1.6 : 0) +
            (offer.benefit.kind === 'serviceContact' ? 0.5 : 0) +
            0.5 * kind.price * price +
            disposition.openness,
        )
      : 0,
  };
}

function careOf(
  { benefit, retention }: Offer,
  kind: KindTraits,
  standing: { member: number; sociable: number; aggrieved: number; price: number },
): number {
  const { member, sociable, aggrieved, price } = standing;
  if (benefit.kind === 'serviceContact')
    return kind.caredFor + (benefit.form === 'call' ? 0.5 : 0.12) * aggrieved;
  if (benefit.kind === 'communityInvitation') return sociable === 1 ? 0.15 : kind.caredFor;
  const kept = retention
    ? DISCOUNTS.has(benefit.kind)
      ? 0.05 + 0.1 * (price + 0.5)
      : 0.08 + 0.04 * member
    : 0;
  return kind.caredFor + kept;
}

/** A deeper discount persuades more: logits above those of a small one. */
function depthOf(benefit: Benefit): number {
  switch (benefit.kind) {
    case 'percentOff':
    case 'bundle':
      return 6 * (benefit.percent / 100 - 0.1);
    case 'amountOff':
      return 0.6 * Math.log(benefit.amountMinor / 500);
    case 'loyaltyPoints':
      return 0.5 * Math.log(benefit.points / 300);
    default:
      return 0;
  }
}

/** Of an offer about categories: how much more of the customer's picks fall into them than into a category on average. */
function interestIn({ traits: own, shop }: Journey, { categories }: SimulatedOffer): number {
  if (categories.length === 0) return 0;
  const { categories: all, categoryCentres } = shop.catalogue;
  let total = 0;
  let within = 0;
  for (let c = 0; c < all.length; c++) {
    const weight =
      all[c]!.size * Math.exp(CATEGORY_TASTE * dotAt(own.taste, categoryCentres, c * TASTE_DIMENSIONS));
    total += weight;
    if (categories.includes(c)) within += weight;
  }
  return Math.min(1, Math.max(-4, Math.log((within / total) * 8)));
}

/** By taste and by habit, in a year of mean season. */
export function ordersPerYear({ traits: own, habits }: Journey): number {
  let rate = own.ordersPerYear;
  // A habit is often bought along with another order.
  for (const { gapDays } of habits) rate += (0.7 * YEAR_DAYS) / gapDays;
  return rate;
}

/** Share of the orders by taste that somebody so irritated leaves out. */
export function reluctance(irritation: number): number {
  return Math.min(0.7, 3 * irritation);
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
