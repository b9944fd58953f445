/** What goes into an order: the habits that are due, then picks by taste, at the price of the day. */
import type { Rng } from '../algorithms/rng.ts';
import { dayMs } from '../domain/time.ts';
import type { CustomerTraits } from './customers.ts';
import type { OrderLine } from './event-writer.ts';
import { type Coupon, dayOf, type Habit, isSold, type Journey } from './journey.ts';

/** Picks come out of what was looked at lately about this often. */
const FROM_VIEWED_SHARE = 0.35;
const PICK_TRIES = 20;
/** A habit is bought along when no more than this share of its gap is left. */
const ALONG_SHARE = 0.12;
/** Shape of the gaps of a habit: a spread of a quarter of the mean. */
const HABIT_REGULARITY = 16;
const HABIT_END_SHARE = 0.04;
const HABITS_MAX = 5;
const DISCOUNTS = [0.1, 0.15, 0.2, 0.3];
/** Their mean, and the share of days of a sale. */
export const DISCOUNTS_OFF = 0.1875;
const SALE_SHARE = 0.11;

/**
 * An item that the customer may want now: sold today, not one that is owned for good, not one that is bought by habit
 * anyway; -1 when twenty picks gave none. `category`: only of this one.
 */
export function pickWanted(
  journey: Journey,
  at: number,
  rng: Rng,
  maySeenBefore: boolean,
  category?: number,
): number {
  const { shop, viewed } = journey;
  const month = shop.calendar.months[dayOf(shop, at)]!;
  for (let tries = 0; tries < PICK_TRIES; tries++) {
    const fromViewed = maySeenBefore && viewed.length > 0 && rng.chance(FROM_VIEWED_SHARE);
    const item = fromViewed
      ? viewed[rng.nextInt(viewed.length)]!
      : category === undefined
        ? shop.sampler.pick(month, rng)
        : shop.sampler.pickWithin(category, rng);
    if (isSold(shop, item, at) && !journey.owned.has(item) && !journey.habitual.has(item)) return item;
  }
  return -1;
}

export type BasketPlan = { picks: number; rng: Rng; coupon?: Coupon | undefined };

export type Basket = { lines: OrderLine[]; discounted: boolean };

/**
 * `picks`: how many items by taste are tried for. The basket may turn out empty. One that an offer brought (`coupon`) has
 * nothing of habits, so that it takes nothing from the orders to come, and begins with an item that the offer is about, or with
 * all of a bundle.
 */
export function composeBasket(journey: Journey, at: number, { picks, rng, coupon }: BasketPlan): Basket {
  const { shop } = journey;
  const lines: OrderLine[] = [];
  if (coupon === undefined)
    for (const habit of dueHabits(journey, at)) {
      lines.push(orderLine(journey, habit.item, habit.quantity));
      renewHabit(journey, habit, at, rng);
    }
  const bundle = coupon?.simulated.items ?? [];
  for (const item of bundle) lines.push(orderLine(journey, item, 1));
  for (let pick = bundle.length > 0 ? 1 : 0; pick < picks; pick++) {
    const about = pick === 0 ? (coupon?.simulated.categories ?? []) : [];
    const item =
      about.length > 0
        ? pickWanted(journey, at, rng, false, about[rng.nextInt(about.length)])
        : pickWanted(journey, at, rng, true);
    if (item < 0 || lines.some((line) => line.item === item)) continue;
    const consumable = shop.catalogue.items[item]!.gapDays > 0;
    lines.push(orderLine(journey, item, 1 + (consumable ? rng.poisson(0.3) : rng.chance(0.03) ? 1 : 0)));
    if (consumable && coupon === undefined) maybeAdoptHabit(journey, item, at, rng);
    else if (!consumable) journey.owned.add(item);
  }
  const discount = drawDiscount(journey, at, rng);
  if (discount > 0)
    for (const line of lines) line.discountMinor = Math.round(line.quantity * line.unitPriceMinor * discount);
  journey.viewed = journey.viewed.filter((item) => !lines.some((line) => line.item === item));
  return { lines, discounted: discount > 0 };
}

function orderLine(journey: Journey, item: number, quantity: number): OrderLine {
  const unitPriceMinor = journey.shop.catalogue.items[item]!.priceMinor;
  return { item, quantity, unitPriceMinor, discountMinor: 0 };
}

function dueHabits(journey: Journey, at: number): Habit[] {
  const { shop } = journey;
  for (const habit of journey.habits) if (!isSold(shop, habit.item, at)) endHabit(journey, habit);
  return journey.habits.filter((habit) => habit.dueAt - at <= ALONG_SHARE * habit.gapDays * dayMs);
}

function maybeAdoptHabit(journey: Journey, item: number, at: number, rng: Rng): void {
  const { shop, traits } = journey;
  if (journey.habits.length >= HABITS_MAX || !rng.chance(traits.habitShare)) return;
  const gapDays = shop.catalogue.items[item]!.gapDays * traits.pace * Math.exp(0.1 * rng.normal());
  const habit: Habit = { item, gapDays, quantity: 1 + (rng.chance(0.25) ? 1 : 0), dueAt: 0 };
  journey.habitual.add(item);
  journey.habits.push(habit);
  journey.everyHabit.push(habit);
  planHabit(journey, habit, at, rng);
}

function renewHabit(journey: Journey, habit: Habit, at: number, rng: Rng): void {
  if (rng.chance(HABIT_END_SHARE)) endHabit(journey, habit);
  else planHabit(journey, habit, at, rng);
}

function planHabit(journey: Journey, habit: Habit, at: number, rng: Rng): void {
  const gap = (habit.gapDays * rng.gamma(HABIT_REGULARITY)) / HABIT_REGULARITY;
  habit.dueAt = at + gap * dayMs;
  journey.agenda.plan(habit.dueAt, { kind: 'habit', habit, dueAt: habit.dueAt });
}

export function endHabit(journey: Journey, habit: Habit): void {
  journey.habits = journey.habits.filter((kept) => kept !== habit);
  journey.habitual.delete(habit.item);
  habit.dueAt = Number.POSITIVE_INFINITY;
}

function drawDiscount(journey: Journey, at: number, rng: Rng): number {
  const { shop, traits } = journey;
  const sale = shop.calendar.sales[dayOf(shop, at)] === 1;
  const welcome = journey.orders === 0 && !traits.existing ? 0.2 : 0;
  const share = (sale ? saleShare(traits) : usualShare(traits)) + welcome;
  return rng.chance(share) ? DISCOUNTS[rng.nextInt(DISCOUNTS.length)]! : 0;
}

const usualShare = ({ priceSensitivity }: CustomerTraits) => 0.02 + 0.25 * priceSensitivity;
const saleShare = ({ priceSensitivity }: CustomerTraits) => 0.15 + 0.5 * priceSensitivity;

/** Share of the orders with a discount of the shop's own, over a year. */
export function ordinaryDiscountShare(traits: CustomerTraits): number {
  return (1 - SALE_SHARE) * usualShare(traits) + SALE_SHARE * saleShare(traits);
}
