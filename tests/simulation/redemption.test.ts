/** What a bundle brings: an order that holds all of it, at its discount. */
import { expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { contact } from '../../src/simulation/contact.ts';
import { isRedeemable } from '../../src/simulation/redemption.ts';
import { advance, setOut } from '../../src/simulation/simulate-customer.ts';
import { openShop } from '../../src/simulation/simulate-shop.ts';
import { optionsOf } from './in-memory.ts';

type Line = { itemId: string; quantity: number; unitPriceMinor: number; discountMinor?: number };
type Told = { type: string; offerId?: string; outcome?: string; lines?: Line[] };

const shop = openShop(optionsOf({ customers: 300, items: 60, days: 200, offerWeeks: 0, seed: 21 }));
const at = shop.calendar.endAt - 30 * dayMs;
const bundle = shop.offers.find(({ offer }) => offer.benefit.kind === 'bundle')!;

test('the order that redeems a bundle holds all its items, each at the discount', () => {
  const redeeming: Line[][] = [];
  for (let index = 0; index < 300; index++) {
    const journey = setOut(shop, index);
    advance(journey, at);
    journey.writer.take();
    contact(journey, at, bundle, 'd');
    advance(journey, shop.calendar.endAt);
    let last: Line[] = [];
    for (const line of journey.writer.take().split('\n').slice(0, -1)) {
      const told = JSON.parse(line) as Told;
      if (told.type === 'purchase') last = told.lines ?? [];
      if (told.type === 'offerOutcome' && told.outcome === 'redeemed') redeeming.push(last);
    }
  }
  expect(redeeming.length).toBeGreaterThan(5);
  for (const lines of redeeming)
    for (const itemId of bundle.offer.itemIds) {
      const { quantity, unitPriceMinor, discountMinor = 0 } = lines.find((line) => line.itemId === itemId)!;
      expect(discountMinor / (quantity * unitPriceMinor)).toBeGreaterThan(0.14);
    }
});

test('an order that lacks one of its items does not redeem it', () => {
  const journey = setOut(shop, 0);
  const lines = bundle.items.map((item) => ({ item, quantity: 1, unitPriceMinor: 1000, discountMinor: 0 }));
  const coupon = { simulated: bundle, decisionId: 'd', until: at };
  expect(isRedeemable(journey, coupon, lines, at)).toBe(true);
  expect(isRedeemable(journey, coupon, lines.slice(1), at)).toBe(false);
});
