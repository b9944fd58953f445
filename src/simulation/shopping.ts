/** What the customer does of their own accord: browsing, and ordering through one of the channels. */
import { dayMs, hourMs } from '../domain/time.ts';
import { composeBasket, pickWanted } from './basket.ts';
import { planConsequences } from './consequences.ts';
import { SHOPPING_CHANNELS, type ShoppingChannel } from './customers.ts';
import { collectPoints } from './engagement.ts';
import type { OrderLine } from './event-writer.ts';
import type { Journey } from './journey.ts';
import { spend } from './loyalty.ts';

const VIEWED_MAX = 10;
const STORE_OPENS = 9;
const STORE_CLOSES = 20;

/** A look around without buying: a visit, a few product pages, now and then a cart that is left standing. */
export function browse(journey: Journey, at: number): void {
  const { writer, rng, traits } = journey;
  const [web, , app] = traits.channelShares;
  const channel = rng.chance(app / (web + app)) ? 'app' : 'web';
  let clock = at;
  writer.visit(clock, channel);
  const views = rng.poisson(1.6);
  let last = -1;
  for (let view = 0; view < views; view++) {
    clock += pause(journey);
    last = look(journey, clock, channel);
  }
  if (last >= 0 && rng.chance(0.12)) {
    const { priceMinor } = journey.shop.catalogue.items[last]!;
    const line: OrderLine = { item: last, quantity: 1, unitPriceMinor: priceMinor, discountMinor: 0 };
    writer.addToCart(clock + pause(journey), channel, [line]);
  }
}

/** An order of the habits that are due and of about `picks` items by taste; nothing when the basket stays empty. */
export function order(journey: Journey, at: number, picks: number): void {
  const { writer, traits } = journey;
  const { lines, discounted } = composeBasket(journey, at, picks);
  if (lines.length === 0) return;
  const channel = chooseChannel(journey, at);
  let clock = at;
  if (channel !== 'store') clock = lookBeforeBuying(journey, at, channel, lines);
  const orderId = `${traits.customerId}-o${journey.orders + 1}`;
  if (!writer.purchase(clock, channel, orderId, lines)) return;
  journey.orders++;
  const purchasedAt = writer.clock;
  let value = 0;
  for (const line of lines) value += line.quantity * line.unitPriceMinor - line.discountMinor;
  spend(journey, purchasedAt, value);
  collectPoints(journey, purchasedAt, orderId, value);
  planConsequences(journey, purchasedAt, {
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
): number {
  const { writer, rng, shop } = journey;
  let clock = at;
  writer.visit(clock, channel);
  for (const line of lines) {
    // Who buys something again rarely reads its page again.
    if (!rng.chance(shop.habitual.has(line.item) ? 0.15 : 0.85)) continue;
    clock += pause(journey);
    writer.view(clock, channel, line.item);
  }
  for (let others = rng.poisson(0.7); others > 0; others--) {
    clock += pause(journey);
    look(journey, clock, channel);
  }
  if (rng.chance(0.6)) {
    clock += pause(journey);
    writer.addToCart(clock, channel, lines);
  }
  return clock + pause(journey);
}

/** Opens the page of an item of the customer's taste; -1 when there is none. */
function look(journey: Journey, at: number, channel: ShoppingChannel): number {
  const { shop, writer, viewed } = journey;
  if (at >= shop.calendar.endAt) return -1;
  const item = pickWanted(journey, at, false);
  if (item < 0) return -1;
  writer.view(at, channel, item);
  if (!viewed.includes(item)) viewed.push(item);
  if (viewed.length > VIEWED_MAX) viewed.shift();
  return item;
}

function pause(journey: Journey): number {
  return Math.floor(15_000 + 60_000 * journey.rng.exponential());
}

function chooseChannel(journey: Journey, at: number): ShoppingChannel {
  const { rng, traits } = journey;
  const [web, store] = traits.channelShares;
  const drawn = rng.next();
  if (drawn < web) return SHOPPING_CHANNELS[0];
  if (drawn >= web + store) return SHOPPING_CHANNELS[2];
  const hour = Math.floor((at % dayMs) / hourMs);
  return hour >= STORE_OPENS && hour < STORE_CLOSES ? 'store' : 'web';
}
