/** What the customer does of their own accord: browsing, and ordering through one of the channels. */
import type { Rng } from '../algorithms/rng.ts';
import { DISCOUNTS } from '../domain/offer.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { type BasketPlan, composeBasket, pickWanted } from './basket.ts';
import { planConsequences } from './consequences.ts';
import { SHOPPING_CHANNELS, type ShoppingChannel } from './customers.ts';
import { collectPoints } from './engagement.ts';
import type { OrderLine } from './event-writer.ts';
import type { Journey } from './journey.ts';
import { marginOf } from './ledger.ts';
import { spend } from './loyalty.ts';
import { isRedeemable, redeem } from './redemption.ts';

const VIEWED_MAX = 10;
const STORE_OPENS = 9;
const STORE_CLOSES = 20;

/** A look around without buying: a visit, a few product pages, now and then a cart that is left standing. */
export function browse(journey: Journey, at: number, rng: Rng): void {
  const { writer, traits } = journey;
  const [web, , app] = traits.channelShares;
  const channel = rng.chance(app / (web + app)) ? 'app' : 'web';
  let clock = at;
  writer.visit(clock, channel);
  const views = rng.poisson(1.6);
  let last = -1;
  for (let view = 0; view < views; view++) {
    clock += pause(rng);
    last = look(journey, clock, channel, rng);
  }
  if (last >= 0 && rng.chance(0.12)) {
    const { priceMinor } = journey.shop.catalogue.items[last]!;
    const line: OrderLine = { item: last, quantity: 1, unitPriceMinor: priceMinor, discountMinor: 0 };
    writer.addToCart(clock + pause(rng), channel, [line]);
  }
}

/**
 * An order of the habits that are due and of about `picks` items by taste; nothing when the basket stays empty. `rng` is
 * the order's own: what comes of it is drawn from there, so that an order more changes nothing about the others.
 */
export function order(journey: Journey, at: number, plan: BasketPlan): void {
  const { writer, traits } = journey;
  const { rng } = plan;
  const { lines, discounted } = composeBasket(journey, at, plan);
  if (lines.length === 0) return;
  const channel = chooseChannel(journey, at, rng);
  let clock = at;
  const coupon = plan.coupon ?? journey.coupon;
  const offerCostMinor =
    coupon !== undefined && isRedeemable(journey, coupon, lines, at) ? redeem(journey, coupon, lines) : -1;
  if (channel !== 'store') clock = lookBeforeBuying(journey, at, channel, lines, rng);
  const orderId = `${traits.customerId}-o${journey.orders + 1}`;
  if (!writer.purchase(clock, channel, orderId, lines)) return;
  journey.orders++;
  const purchasedAt = writer.clock;
  let value = 0;
  for (const line of lines) {
    value += line.quantity * line.unitPriceMinor - line.discountMinor;
    journey.ledger.marginMinor += marginOf(journey, line);
  }
  journey.lastOrderAt = purchasedAt;
  journey.spentMinor += value;
  spend(journey, purchasedAt, value);
  collectPoints(journey, purchasedAt, orderId, value, rng);
  if (coupon !== undefined && offerCostMinor >= 0) {
    // A discount is in the lines, and with them in the margin.
    if (!DISCOUNTS.has(coupon.simulated.offer.benefit.kind)) journey.ledger.marginMinor -= offerCostMinor;
    if (coupon === journey.coupon) journey.coupon = undefined;
    const { offerId } = coupon.simulated.offer;
    writer.offerOutcome(purchasedAt, channel, coupon.decisionId, offerId, 'redeemed', value);
  }
  planConsequences(journey, purchasedAt, {
    rng,
    orderId,
    channel,
    lines,
    discounted,
    late: false,
    damaged: false,
  });
}

/** The visit of an order: pages of what is bought and of some that is not, then mostly a cart. */
function lookBeforeBuying(
  journey: Journey,
  at: number,
  channel: ShoppingChannel,
  lines: readonly OrderLine[],
  rng: Rng,
): number {
  const { writer, habitual } = journey;
  let clock = at;
  writer.visit(clock, channel);
  for (const line of lines) {
    // Who buys something again rarely reads its page again.
    if (!rng.chance(habitual.has(line.item) ? 0.15 : 0.85)) continue;
    clock += pause(rng);
    writer.view(clock, channel, line.item);
  }
  for (let others = rng.poisson(0.7); others > 0; others--) {
    clock += pause(rng);
    look(journey, clock, channel, rng);
  }
  if (rng.chance(0.6)) {
    clock += pause(rng);
    writer.addToCart(clock, channel, lines);
  }
  return clock + pause(rng);
}

/** Opens the page of an item of the customer's taste; -1 when there is none. */
function look(journey: Journey, at: number, channel: ShoppingChannel, rng: Rng): number {
  const { shop, writer, viewed } = journey;
  if (at >= shop.calendar.endAt) return -1;
  const item = pickWanted(journey, at, rng, false);
  if (item < 0) return -1;
  writer.view(at, channel, item);
  if (!viewed.includes(item)) viewed.push(item);
  if (viewed.length > VIEWED_MAX) viewed.shift();
  return item;
}

function pause(rng: Rng): number {
  return Math.floor(15_000 + 60_000 * rng.exponential());
}

function chooseChannel({ traits }: Journey, at: number, rng: Rng): ShoppingChannel {
  const [web, store] = traits.channelShares;
  const drawn = rng.next();
  if (drawn < web) return SHOPPING_CHANNELS[0];
  if (drawn >= web + store) return SHOPPING_CHANNELS[2];
  const hour = Math.floor((at % dayMs) / hourMs);
  return hour >= STORE_OPENS && hour < STORE_CLOSES ? 'store' : 'web';
}
