/**
 * One customer's events as NDJSON. Built by hand, since JSON.stringify would take most of the simulation's time: every
 * text that goes in is the simulation's own and free of characters that JSON escapes, or is escaped once beforehand.
 */

import type { LoyaltyTier } from '../domain/channel.ts';
import type { COMMUNITY_ACTIVITIES, MARKETING_OUTCOMES, POINTS_CHANGES } from '../domain/event.ts';
import type { OfferOutcome } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import type { Calendar } from './calendar.ts';
import type { Catalogue } from './catalogue.ts';
import type { ShoppingChannel, SimulatedConsent } from './customers.ts';

export type OrderLine = {
  item: number;
  quantity: number;
  unitPriceMinor: number;
  /** On the whole line. */
  discountMinor: number;
};

export type AttributesChange = {
  loyaltyTier?: LoyaltyTier;
  consent?: SimulatedConsent;
  segment?: string;
};

/** `{"itemId":"…","category":"…"` of each item: the start of every line that names it. */
export function lineStarts(catalogue: Catalogue): string[] {
  return catalogue.items.map(({ itemId, category }) =>
    JSON.stringify({ itemId, category: catalogue.categories[category]!.name }).slice(0, -1),
  );
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));

export class EventWriter {
  readonly #calendar: Calendar;
  readonly #lineStarts: readonly string[];
  readonly #idPrefix: string;
  readonly #customerId: string;
  #text = '';
  #count = 0;
  #clock = Number.NEGATIVE_INFINITY;

  /** `run` tells simulations apart: with it, the same event of another simulation is another event. */
  constructor(calendar: Calendar, starts: readonly string[], run: string, customerId: string) {
    this.#calendar = calendar;
    this.#lineStarts = starts;
    this.#idPrefix = `${run}-${customerId}-`;
    this.#customerId = customerId;
  }

  /** The lines since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Events so far; those that would be at or past the end of the history have not happened. */
  get count(): number {
    return this.#count;
  }

  /** Time of the last event. */
  get clock(): number {
    return this.#clock;
  }

  visit(at: number, channel: ShoppingChannel): void {
    this.#write('visit', at, channel, '');
  }

  view(at: number, channel: ShoppingChannel, item: number): void {
    this.#write('view', at, channel, `,"lines":[${this.#lineStarts[item]!}}]`);
  }

  addToCart(at: number, channel: ShoppingChannel, lines: readonly OrderLine[]): void {
    this.#write('addToCart', at, channel, `,"lines":[${this.#linesText(lines)}]`);
  }

  /** true when it happened before the end of the history. */
  purchase(at: number, channel: ShoppingChannel, orderId: string, lines: readonly OrderLine[]): boolean {
    return this.#write(
      'purchase',
      at,
      channel,
      `,"orderId":"${orderId}","lines":[${this.#linesText(lines)}]`,
    );
  }

  /** true when it happened before the end of the history. */
  return(at: number, channel: ShoppingChannel, orderId: string, line: OrderLine): boolean {
    return this.#write('return', at, channel, `,"orderId":"${orderId}","lines":[${this.#linesText([line])}]`);
  }

  delivery(at: number, channel: ShoppingChannel, orderId: string, late: boolean): void {
    this.#write('delivery', at, channel, `,"orderId":"${orderId}","late":${late}`);
  }

  /** `itemId`: the item that is rated; without, it is the shop and its delivery. */
  rating(at: number, channel: ShoppingChannel, rating: number, itemId: string | undefined): void {
    const about = itemId === undefined ? '' : `,"itemId":"${itemId}"`;
    this.#write('rating', at, channel, `,"rating":${rating}${about}`);
  }

  contact(at: number, topic: string, complaint: 'opened' | 'resolved' | undefined): void {
    const state = complaint === undefined ? '' : `,"complaint":"${complaint}"`;
    this.#write('contact', at, 'phone', `${state},"topic":"${topic}"`);
  }

  nps(at: number, score: number): void {
    this.#write('nps', at, 'email', `,"score":${score}`);
  }

  points(
    at: number,
    change: (typeof POINTS_CHANGES)[number],
    points: number,
    orderId: string | undefined,
  ): void {
    const of = orderId === undefined ? '' : `,"orderId":"${orderId}"`;
    this.#write('loyaltyPoints', at, 'web', `,"change":"${change}","points":${points}${of}`);
  }

  community(at: number, activity: (typeof COMMUNITY_ACTIVITIES)[number]): void {
    this.#write('community', at, 'web', `,"activity":"${activity}"`);
  }

  marketing(at: number, campaign: string, outcome: (typeof MARKETING_OUTCOMES)[number]): void {
    this.#write('marketingContact', at, 'email', `,"campaign":"${campaign}","outcome":"${outcome}"`);
  }

  offerOutcome(
    at: number,
    channel: ShoppingChannel | 'email',
    decisionId: string,
    offerId: string,
    outcome: OfferOutcome,
    valueMinor: number | undefined,
  ): void {
    const worth = valueMinor === undefined ? '' : `,"valueMinor":${valueMinor}`;
    this.#write(
      'offerOutcome',
      at,
      channel,
      `,"decisionId":"${decisionId}","offerId":"${offerId}","outcome":"${outcome}"${worth}`,
    );
  }

  attributes(at: number, channel: ShoppingChannel | 'email', change: AttributesChange): void {
    this.#write('customerUpdated', at, channel, `,"attributes":${JSON.stringify(change)}`);
  }

  #linesText(lines: readonly OrderLine[]): string {
    let text = '';
    for (const line of lines) {
      const discount = line.discountMinor > 0 ? `,"discountMinor":${line.discountMinor}` : '';
      const separator = text === '' ? '' : ',';
      text += `${separator}${this.#lineStarts[line.item]!},"quantity":${line.quantity},"unitPriceMinor":${line.unitPriceMinor}${discount}}`;
    }
    return text;
  }

  #write(type: string, at: number, channel: string, rest: string): boolean {
    // Whole seconds, no two events of a customer at the same one: their order is beyond doubt.
    const clock = Math.max(Math.floor(at / 1000) * 1000, this.#clock + 1000);
    if (clock >= this.#calendar.endAt) return false;
    this.#clock = clock;
    this.#text += `{"type":"${type}","eventId":"${this.#idPrefix}${this.#count}","customerId":"${this.#customerId}","occurredAt":"${this.#timeText(clock)}","channel":"${channel}"${rest}}\n`;
    this.#count++;
    return true;
  }

  /** ISO 8601, a good deal faster than `toISOString`. */
  #timeText(at: number): string {
    const elapsed = at - this.#calendar.startAt;
    const day = Math.floor(elapsed / dayMs);
    const seconds = (elapsed - day * dayMs) / 1000;
    const hour = TWO_DIGITS[Math.floor(seconds / 3600)]!;
    const minute = TWO_DIGITS[Math.floor(seconds / 60) % 60]!;
    return `${this.#calendar.dateTexts[day]!}${hour}:${minute}:${TWO_DIGITS[seconds % 60]!}Z`;
  }
}
