/** What comes of an order: delivery, rating, complaint, return — and what of it makes the customer think of leaving. */
import type { Rng } from '../algorithms/rng.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { dayOf, INITIATIVES, type Journey, type Order, SHOPS_OWN } from './journey.ts';

/** Share of late deliveries on a mean day; it grows with the load of the day, as in the weeks before Christmas. */
const LATE_SHARE = 0.08;
const DAMAGED_SHARE = 0.03;
/** Share of new customers who buy only once whatever happens; more after a discount, more after a bad delivery. */
const ONE_TIME_SHARE = 0.26;
const ONE_TIME_DISCOUNT = 0.15;
const ONE_TIME_BAD = 0.3;

/** Share of the lines that come back because they arrived damaged. */
export const DAMAGED_RETURN_SHARE = 0.5 * DAMAGED_SHARE;

/**
 * Grievances that one order brings in expectation, weighed as the hazard weighs them: late deliveries (0.08 · 10), low
 * ratings (about 0.02 · 8: mostly of late and damaged ones) and complaints (0.04 · 9, of which a fifth stay open and count
 * for five that fade). What is bought in a store comes with a low rating now and then.
 */
export const GRIEVANCES_AN_ORDER = { online: 1.4, store: 0.1 } as const;

export function planConsequences(journey: Journey, at: number, order: Order): void {
  const { shop, agenda } = journey;
  const { rng } = order;
  if (rng.chance(0.02)) agenda.plan(at + dayMs * (0.1 + rng.exponential()), { kind: 'question' });
  if (order.channel === 'store') {
    settle(journey, at + 2 * hourMs, order);
    return;
  }
  order.late = rng.chance(LATE_SHARE * shop.calendar.loads[dayOf(shop, at)]!);
  order.damaged = rng.chance(DAMAGED_SHARE);
  const days = order.late ? 5 + 3 * rng.gamma(2) : 1 + 0.6 * rng.gamma(2);
  agenda.plan(daytime(at + days * dayMs, rng.next()), { kind: 'delivery', order });
}

export function deliver(journey: Journey, at: number, order: Order): void {
  const { writer, agenda, departure } = journey;
  const { rng } = order;
  writer.delivery(at, order.channel, order.orderId, order.late);
  if (order.late) departure.lateDelivery();
  if (rng.chance(order.damaged ? 0.6 : order.late ? 0.3 : 0)) {
    const topic = order.damaged ? 'damaged' : 'delivery';
    agenda.plan(at + dayMs * rng.exponential(), { kind: 'complaint', topic, rng });
  }
  settle(journey, at, order);
}

/** The customer has the goods in hand. */
function settle(journey: Journey, at: number, order: Order): void {
  const { shop, agenda, traits } = journey;
  const { rng } = order;
  const bad = order.late || order.damaged;
  const away = order.channel === 'store' ? 0.3 : 1;
  if (rng.chance(away * (traits.ratingShare + (bad ? 0.25 : 0))))
    agenda.plan(at + dayMs * (0.2 + 1.5 * rng.exponential()), { kind: 'rating', order });
  for (const line of order.lines) {
    const { category } = shop.catalogue.items[line.item]!;
    const share = shop.catalogue.categories[category]!.returnShare * away + (order.damaged ? 0.5 : 0);
    if (!rng.chance(share)) continue;
    agenda.plan(at + dayMs * (2 + 3 * rng.gamma(2)), { kind: 'return', order, line });
  }
  if (journey.orders === 1 && !traits.existing) {
    const share = ONE_TIME_SHARE + (order.discounted ? ONE_TIME_DISCOUNT : 0) + (bad ? ONE_TIME_BAD : 0);
    journey.oneTime = rng.chance(share);
    if (journey.oneTime) leave(journey, at);
  }
}

/** Stars as whole numbers: mostly 4 and 5, lower for a bad delivery or a poor item. */
export function rate(journey: Journey, at: number, order: Order): void {
  const { shop, writer, departure, agenda } = journey;
  const { rng } = order;
  const item = shop.catalogue.items[order.lines[rng.nextInt(order.lines.length)]!.item]!;
  const aboutItem = rng.chance(0.4);
  const mean = aboutItem
    ? 4.4 + item.quality - (order.damaged ? 2.4 : 0)
    : 4.5 - (order.late ? 1.8 : 0) - (order.damaged ? 2 : 0);
  const stars = Math.min(5, Math.max(1, Math.round(mean + 0.7 * rng.normal())));
  writer.rating(at, order.channel, stars, aboutItem ? item.itemId : undefined);
  if (stars > 2) return;
  departure.lowRating();
  if (rng.chance(0.1))
    agenda.plan(at + dayMs * rng.exponential(), { kind: 'complaint', topic: 'quality', rng });
}

/** Four of five complaints are resolved, most within two weeks; the others stay open. */
export function complain(journey: Journey, at: number, topic: string, rng: Rng): void {
  const { writer, agenda, departure } = journey;
  writer.contact(at, topic, 'opened');
  departure.complaintOpened();
  if (rng.chance(0.8))
    agenda.plan(daytime(at + dayMs * (1 + 4 * rng.gamma(2)), rng.next()), { kind: 'resolved' });
}

export function resolveComplaint(journey: Journey, at: number): void {
  journey.writer.contact(at, 'resolution', 'resolved');
  journey.departure.complaintResolved();
}

/**
 * From now on the customer starts nothing more. Gone when no consequence is waiting any more; else this is asked again
 * after the last of them, which may have brought others.
 */
export function leave(journey: Journey, at: number): void {
  const { agenda, writer } = journey;
  const last = agenda.waiting.find(({ what }) => !INITIATIVES.has(what.kind) && !SHOPS_OWN.has(what.kind));
  if (last === undefined) {
    journey.phase = 'gone';
    journey.churnedAt = Math.max(at, writer.clock + 1000);
    const shopsOwn = agenda.waiting.filter(({ what }) => SHOPS_OWN.has(what.kind));
    agenda.clear();
    for (const { at: dueAt, what } of shopsOwn) agenda.plan(dueAt, what);
  } else {
    journey.phase = 'leaving';
    agenda.plan(last.at, { kind: 'leave' });
  }
}

/** The same day between 8 and 18 o'clock. */
function daytime(at: number, share: number): number {
  return Math.floor(at / dayMs) * dayMs + (8 + 10 * share) * hourMs;
}
