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
import type { ItemSet } from './item-set.ts';
import type { SimulationOptions } from './options.ts';
import type { TasteSampler } from './taste-sampler.ts';

/** What all customers share. The last three are buffers: they hold the customer who is being simulated. */
export type Shop = {
  options: SimulationOptions;
  /** Start of every event id: the same options but for the number of customers give the same. */
  run: string;
  calendar: Calendar;
  catalogue: Catalogue;
  population: Population;
  lineStarts: readonly string[];
  sampler: TasteSampler;
  owned: ItemSet;
  habitual: ItemSet;
};

/** An item that the customer buys whenever it has run out. */
export type Habit = {
  item: number;
  /** Mean days between two purchases: the item's gap at this customer's pace. */
  gapDays: number;
  quantity: number;
  dueAt: number;
};

export type Order = {
  orderId: string;
  channel: ShoppingChannel;
  lines: readonly OrderLine[];
  late: boolean;
  damaged: boolean;
  discounted: boolean;
};

export type Happening =
  | { kind: 'order' | 'visit' | 'week' | 'question' | 'unsubscribe' | 'resolved' | 'leave' }
  | { kind: 'survey' | 'activity' | 'expiry' }
  | { kind: 'message' | 'opened'; campaign: string }
  | { kind: 'habit'; habit: Habit; dueAt: number }
  | { kind: 'delivery' | 'rating'; order: Order }
  | { kind: 'complaint'; topic: string }
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
]);

/** What the shop does by itself, also to customers who are gone: it does not know. */
export const SHOPS_OWN: ReadonlySet<Happening['kind']> = new Set(['message', 'expiry']);

export type Journey = {
  shop: Shop;
  rng: Rng;
  traits: CustomerTraits;
  writer: EventWriter;
  agenda: Agenda<Happening>;
  departure: Departure;
  engagement: Engagement;
  /** fading: comes less and less; leaving: starts nothing any more, consequences are still on their way. */
  phase: 'active' | 'fading' | 'leaving' | 'gone';
  fadingFrom: number | undefined;
  fadesUntil: number;
  churnedAt: number | undefined;
  /** true: one of those who meant to buy once, or were put off by the first order. */
  oneTime: boolean;
  orders: number;
  weeks: number;
  habits: Habit[];
  /** Habits of the whole history, for the truth. */
  everyHabit: Habit[];
  /** Items looked at and not bought, newest last. */
  viewed: number[];
  tier: LoyaltyTier;
  /** Spend of about a year: it fades with a time constant of one. */
  yearSpendMinor: number;
  yearSpendAt: number;
};

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
