/** The state of one customer's way through the shop, and of the shop around it. */

import type { Rng } from '../algorithms/rng.ts';
import type { LoyaltyTier } from '../domain/channel.ts';
import { dayMs } from '../domain/time.ts';
import type { Agenda } from './agenda.ts';
import type { Calendar } from './calendar.ts';
import type { Catalogue } from './catalogue.ts';
import type { CustomerTraits, Population, ShoppingChannel } from './customers.ts';
import type { Departure } from './departure.ts';
import type { Engagement } from './engagement.ts';
import type { EventWriter, OrderLine } from './event-writer.ts';
import type { Ledger } from './ledger.ts';
import type { Disposition, OfferResponse, SimulatedOffer } from './offer-effects.ts';
import type { SimulationOptions } from './options.ts';
import type { TasteSampler } from './taste-sampler.ts';

/** What all customers share. `sampler` is a buffer: it holds the customer who is being simulated. */
export type Shop = {
  options: SimulationOptions;
  /** Start of every event id: the same options but for the number of customers give the same. */
  run: string;
  calendar: Calendar;
  catalogue: Catalogue;
  population: Population;
  lineStarts: readonly string[];
  /** Weeks in which decisions on offers are drawn at random and logged: the last of the history. */
  logging: { startAt: number; endAt: number };
  sampler: TasteSampler;
  /** The offers whose effects are simulated. */
  offers: readonly SimulatedOffer[];
  /** How much of the bonds, and of the winning back, that contacts bring there is: 1, as simulated; 0, contacts keep nobody. */
  contactsKeep: number;
};

/** An item that the customer buys whenever it has run out. */
export type Habit = {
  item: number;
  /** Mean days between two purchases: the item's gap at this customer's pace. */
  gapDays: number;
  quantity: number;
  dueAt: number;
};

/** Uniform draws, one for each thing that may come of a contact. */
export type ContactDraws = Record<
  'seen' | 'delay' | 'wonBack' | 'persuaded' | 'uses' | 'day' | 'hour' | 'clicked' | 'dismissed',
  number
>;

/** An offer that may still be redeemed. */
export type Coupon = { simulated: SimulatedOffer; decisionId: string; until: number };

export type Order = {
  /** What comes of it is drawn from here. */
  rng: Rng;
  orderId: string;
  channel: ShoppingChannel;
  lines: readonly OrderLine[];
  late: boolean;
  damaged: boolean;
  discounted: boolean;
};

export type Happening =
  | { kind: 'order' | 'visit' | 'week' | 'question' | 'unsubscribe' | 'resolved' | 'leave' }
  | { kind: 'survey' | 'activity' | 'expiry' | 'decision' }
  | { kind: 'message' | 'opened'; campaign: string }
  | { kind: 'habit'; habit: Habit; dueAt: number }
  | { kind: 'delivery' | 'rating'; order: Order }
  | { kind: 'complaint'; topic: string; rng: Rng }
  | { kind: 'seen'; coupon: Coupon; response: OfferResponse; draws: ContactDraws; rng: Rng }
  | { kind: 'persuaded'; coupon: Coupon; rng: Rng }
  | { kind: 'return'; order: Order; line: OrderLine };

/** Things that the customer starts; what is left are consequences, which happen even to one who has made up their mind. */
export const INITIATIVES: ReadonlySet<Happening['kind']> = new Set([
  'order',
  'visit',
  'week',
  'habit',
  'question',
  'unsubscribe',
  'leave',
  'survey',
  'activity',
  'opened',
  'seen',
  'persuaded',
]);

/** What the shop does by itself, also to customers who are gone: it does not know. */
export const SHOPS_OWN: ReadonlySet<Happening['kind']> = new Set(['message', 'expiry', 'decision']);

export type Journey = {
  shop: Shop;
  /** Number of the customer, from 0. */
  index: number;
  rng: Rng;
  traits: CustomerTraits;
  writer: EventWriter;
  agenda: Agenda<Happening>;
  departure: Departure;
  engagement: Engagement;
  disposition: Disposition;
  /** To be redeemed with the next order that it counts for. */
  coupon: Coupon | undefined;
  ledger: Ledger;
  /** fading: comes less and less; leaving: starts nothing any more, consequences are still on their way. */
  phase: 'active' | 'fading' | 'leaving' | 'gone';
  fadingFrom: number | undefined;
  fadesUntil: number;
  churnedAt: number | undefined;
  /** true: one of those who meant to buy once, or were put off by the first order. */
  oneTime: boolean;
  orders: number;
  lastOrderAt: number;
  /** On all orders. */
  spentMinor: number;
  /** Decisions so far, and until when a discount that was made may be redeemed. */
  decisions: number;
  discountUntil: number;
  /** Lines of `decisions.ndjson`. */
  decisionText: string;
  weeks: number;
  habits: Habit[];
  /** Items that are owned for good, and those that are bought by habit. */
  owned: Set<number>;
  habitual: Set<number>;
  /** Habits of the whole history, for the truth. */
  everyHabit: Habit[];
  /** Items looked at and not bought, newest last. */
  viewed: number[];
  tier: LoyaltyTier;
  /** Spend of about a year: it fades with a time constant of one. */
  yearSpendMinor: number;
  yearSpendAt: number;
};

/** Share of the orders that still come from somebody who fades. */
export const FADING_ORDER_SHARE = 0.35;

/** Whether the customer still starts anything. */
export function isActive({ phase }: Pick<Journey, 'phase'>): boolean {
  return phase === 'active' || phase === 'fading';
}

/** Whether the item is sold at this time. */
export function isSold(shop: Shop, item: number, at: number): boolean {
  const { availableFrom, availableTo } = shop.catalogue.items[item]!;
  return at >= availableFrom && at < availableTo;
}

/** Day of the history, from 0. */
export function dayOf(shop: Shop, at: number): number {
  return Math.floor((at - shop.calendar.startAt) / dayMs);
}
