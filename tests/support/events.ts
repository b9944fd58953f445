/** Random events, as they are after acceptance, for property tests. */

import fc from 'fast-check';
import { CHANNELS, LOYALTY_TIERS } from '../../src/domain/channel.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';

export const startMs = Date.UTC(2026, 0, 5);

const id = (kind: string, max: number) => fc.integer({ min: 1, max }).map((n) => `${kind}${n}`);
const text = (maxLength: number) =>
  fc.oneof(
    id('text', 9),
    // What trips up separators, byte orders and decoders.
    fc.constantFrom(
      '\ufeffbom',
      'é😀',
      '\uffee',
      'a\u001fb\u001dc\u001e',
      '"quoted"',
      "it's",
      '\u001e',
      'nul\u0000l',
    ),
    fc.string({ unit: 'binary', maxLength }),
  );
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const price = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.constantFrom(0, 1_000_000_000_000));

const line = fc.record({
  itemId: id('item', 40),
  quantity: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_000_000)),
  unitPriceMinor: optional(price),
  discountMinor: optional(price),
  category: optional(fc.oneof(id('category', 25), text(20))),
});
const lines = fc.array(line, { minLength: 1, maxLength: 4 });

const occurredAt = fc.oneof(
  // Coarse, so that events fall on the same instant and their ids decide.
  fc.integer({ min: 0, max: 60 }).map((n) => startMs + n * dayMs),
  fc.integer({ min: 0, max: 400 * dayMs }).map((ms) => startMs + ms),
);

const parts: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  purchase: {
    lines,
    orderId: optional(
      fc.oneof(
        id('order', 5),
        text(20).filter((t) => t !== ''),
      ),
    ),
  },
  return: { lines, orderId: optional(id('order', 5)) },
  view: { lines },
  addToCart: { lines },
  visit: {},
  rating: { rating: fc.integer({ min: 10, max: 50 }).map((n) => n / 10), itemId: optional(id('item', 40)) },
  contact: { complaint: optional(fc.constantFrom('opened', 'resolved')), topic: optional(text(20)) },
  delivery: { late: fc.boolean(), orderId: optional(id('order', 5)) },
  nps: { score: fc.integer({ min: 0, max: 10 }) },
  loyaltyPoints: {
    change: fc.constantFrom('earned', 'redeemed', 'expired'),
    points: fc.integer({ min: 1, max: 1_000_000_000 }),
    orderId: optional(id('order', 5)),
  },
  community: {
    activity: fc.constantFrom('attendance', 'referral', 'review'),
    itemId: optional(id('item', 40)),
    topic: optional(text(20)),
  },
  marketingContact: {
    outcome: fc.constantFrom('sent', 'opened', 'clicked', 'unsubscribed'),
    campaign: optional(text(20).filter((t) => t !== '')),
  },
  customerUpdated: {
    attributes: fc
      .record({
        loyaltyTier: optional(fc.constantFrom(...LOYALTY_TIERS)),
        consent: optional(
          fc.dictionary(fc.constantFrom(...CHANNELS), fc.boolean()).map((consent) => ({ ...consent })),
        ),
        segment: optional(text(20)),
        timeZone: optional(fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York')),
      })
      .map(withoutUndefined),
  },
  offerOutcome: {
    decisionId: id('decision', 9),
    offerId: id('offer', 9),
    heldSince: optional(id('decision', 9)),
    outcome: fc.constantFrom('viewed', 'clicked', 'redeemed', 'dismissed'),
    valueMinor: optional(price),
  },
};

/** An event of the customer (or, without one, of a guest). Ids may be anything that UTF-8 can hold. */
export function shopEvent(customerId?: fc.Arbitrary<string>): fc.Arbitrary<ShopEvent> {
  return fc.oneof(
    ...Object.entries(parts).map(([type, own]) =>
      fc
        .record({
          ...own,
          type: fc.constant(type),
          eventId: fc.oneof(fc.uuid(), fc.constantFrom('\uffee', '😀', 'a', 'A', '\ufeffx')),
          occurredAt,
          channel: fc.constantFrom(...CHANNELS),
          customerId: customerId ?? fc.constant(undefined),
          sessionId: customerId === undefined ? id('session', 3) : optional(id('session', 3)),
        })
        .map((event) => cleaned(event) as ShopEvent),
    ),
  );
}

/** Events of one customer with distinct ids, in no particular order. */
export function customerEvents(customerId: string, maxLength: number): fc.Arbitrary<ShopEvent[]> {
  return fc.uniqueArray(shopEvent(fc.constant(customerId)), {
    minLength: 1,
    maxLength,
    selector: (event) => event.eventId,
  });
}

function cleaned(event: Record<string, unknown>): Record<string, unknown> {
  const whole = withoutUndefined(event);
  if (Array.isArray(whole.lines)) whole.lines = whole.lines.map(withoutUndefined);
  return whole;
}

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
