import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventInput } from '../../../src/domain/event.ts';
import { openShop } from './support.ts';

/** Values good and bad for every field, so that most events have no more than a fault or two. */
const id = fc.constantFrom('a', 'b-1', 'x'.repeat(128), 'x'.repeat(129), '', 'a{b}', 'tab\there', 5, true);
const price = fc.constantFrom(0, 450, 1_000_000_000_000, 1_000_000_000_001, -1, 1.5, '450');
const mostly = <T, U>(good: T, bad: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: bad });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 4 });
const lines = fc.array(
  fc.record(
    {
      itemId: mostly('tea', id),
      quantity: maybe(mostly<unknown, unknown>(1, fc.constantFrom(0, 1_000_000, 1_000_001, 1.5, '1'))),
      unitPriceMinor: maybe(mostly<unknown, unknown>(450, price)),
      discountMinor: maybe(mostly<unknown, unknown>(0, price)),
      category: maybe(
        mostly<unknown, unknown>('Tea', fc.constantFrom('', 'c'.repeat(200), 'c'.repeat(201), 1)),
      ),
    },
    { requiredKeys: ['itemId'] },
  ),
  { maxLength: 3 },
);
const common = {
  eventId: maybe(mostly<unknown, unknown>('event', id)),
  customerId: maybe(mostly<unknown, unknown>('anna', id)),
  sessionId: maybe(mostly<unknown, unknown>('session', id)),
  occurredAt: mostly<unknown, unknown>(
    '2026-01-02T03:04:05.678Z',
    fc.constantFrom(
      '2026-01-02T03:04:05+02:00',
      '2026-01-02',
      '2026-13-02T03:04:05Z',
      0,
      1_767_225_600_000,
      -1,
      1.5,
      'now',
      true,
    ),
  ),
  channel: maybe(mostly<unknown, unknown>('store', fc.constantFrom('web', 'fax', 1))),
};
const surprise = fc.option(fc.constant(1), { nil: undefined, freq: 12 });
const basket = {
  ...common,
  lines: fc.oneof(
    { weight: 9, arbitrary: lines },
    { weight: 1, arbitrary: fc.constantFrom({}, 'x', undefined) },
  ),
  surprise,
};
const orderId = maybe(mostly<unknown, unknown>('7', fc.constantFrom('', 'x'.repeat(129), 7)));
const redeemed = maybe(
  mostly<unknown, unknown>(
    [{ offerId: 'ten', decisionId: 'd', costMinor: 5 }, { offerId: 'five' }],
    fc.constantFrom<unknown[]>(
      [],
      [{}],
      'ten',
      ['ten'],
      [{ offerId: 'no{id}' }],
      [{ offerId: 5 }],
      [{ offerId: 'ten', costMinor: -1 }],
      [{ offerId: 'ten', costMinor: '5' }],
      [{ offerId: 'ten', decisionId: '' }],
      [{ offerId: 'ten' }, { offerId: 'five', extra: 1 }],
      Array(20).fill({ offerId: 'ten' }),
      Array(21).fill({ offerId: 'ten' }),
    ),
  ),
);
const event = fc.oneof(
  fc.record({ type: fc.constantFrom('purchase', 'return'), orderId, ...basket }),
  fc.record({ type: fc.constant('purchase'), ...basket, redeemed }),
  fc.record({ type: fc.constantFrom('return', 'view'), ...basket, redeemed }),
  fc.record({ type: fc.constantFrom('view', 'addToCart'), ...basket, orderId: surprise }),
  fc.record({ type: fc.constantFrom('visit', 'gift', 5), ...common, surprise }),
  fc.record({
    type: fc.constant('rating'),
    rating: fc.constantFrom(1, 4.5, 5, 0, 5.1, '4', undefined),
    itemId: maybe(mostly<unknown, unknown>('tea', id)),
    ...common,
  }),
  fc.record({
    type: fc.constant('contact'),
    complaint: maybe(fc.constantFrom('opened', 'resolved', 'lost', 1)),
    topic: maybe(fc.constantFrom('', 'late', 't'.repeat(101), 1)),
    ...common,
  }),
  fc.record({
    type: fc.constant('delivery'),
    late: fc.constantFrom(true, false, 'true', undefined),
    orderId,
    ...common,
  }),
  fc.record({
    type: fc.constant('nps'),
    score: fc.constantFrom(0, 10, 9, 11, -1, 7.5, '9', undefined),
    ...common,
  }),
  fc.record({
    type: fc.constant('loyaltyPoints'),
    change: mostly<unknown, unknown>('earned', fc.constantFrom('redeemed', 'expired', 'lost', 1, undefined)),
    points: mostly<unknown, unknown>(120, fc.constantFrom(1, 1e9, 1e9 + 1, 0, -5, 1.5, '5', undefined)),
    orderId,
    ...common,
  }),
  fc.record({
    type: fc.constant('community'),
    activity: mostly<unknown, unknown>(
      'attendance',
      fc.constantFrom('referral', 'review', 'party', 1, undefined),
    ),
    itemId: maybe(mostly<unknown, unknown>('tea', id)),
    topic: maybe(fc.constantFrom('', 'tasting', 't'.repeat(101), 1)),
    ...common,
  }),
  fc.record({
    type: fc.constant('marketingContact'),
    outcome: mostly<unknown, unknown>(
      'sent',
      fc.constantFrom('opened', 'unsubscribed', 'lost', 1, undefined),
    ),
    campaign: maybe(mostly<unknown, unknown>('spring', fc.constantFrom('', 'c'.repeat(201), 1))),
    ...common,
  }),
  fc.record({
    type: fc.constant('customerUpdated'),
    attributes: fc.oneof(
      fc.record({
        loyaltyTier: maybe(fc.constantFrom('gold', 'lead', 1)),
        consent: maybe(
          fc.constantFrom(
            {},
            { email: true },
            { email: true, web: false },
            { fax: true },
            { email: 1 },
            [],
            'email',
          ),
        ),
        segment: maybe(fc.constantFrom('', 'DE', 's'.repeat(101), 1)),
        timeZone: maybe(
          fc.constantFrom(
            'Europe/Berlin',
            'america/new_york',
            'UTC',
            'Mars/Base',
            'Factory',
            '+02:00',
            '',
            1,
          ),
        ),
        surprise,
      }),
      fc.constantFrom(undefined, [], 'x'),
    ),
    ...common,
  }),
  fc.record({
    type: fc.constant('offerOutcome'),
    decisionId: mostly<unknown, unknown>('d', fc.constantFrom('', 'd'.repeat(65), 1, undefined)),
    offerId: mostly<unknown, unknown>('o', id),
    outcome: mostly<unknown, unknown>('clicked', fc.constantFrom('won', 1, undefined)),
    valueMinor: maybe(price),
    costMinor: maybe(price),
    ...common,
  }),
);

test('an imported event is accepted exactly when POST /events would accept it, and means the same', async () => {
  const shop = await openShop();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 40, maxLength: 120 }), async (events) => {
      const prefix = `run${run++}-`;
      // Ids of their own, but for the bad ones: repeats are another rule.
      const unique = events.map((one, index) => ({
        ...one,
        ...(one.eventId === 'event' && { eventId: `${prefix}${index}` }),
        ...(one.eventId === undefined && { eventId: `${prefix}made-${index}` }),
      }));
      const texts = unique.map((one) => JSON.stringify(one));
      const wellNamed = (text: string) => /"eventId":"run\d+-/.test(text);
      const report = await shop.run('nextbest', [
        await shop.file(`${prefix}.ndjson`, texts.filter(wellNamed).join('\n')),
      ]);
      const rejected = new Map((await shop.rejects(report)).map(({ line, reason }) => [line, reason]));
      const accepted: string[] = [];
      texts.filter(wellNamed).forEach((text, index) => {
        const parsed = EventInput.safeParse(JSON.parse(text));
        expect([text, rejected.has(index + 1)]).toEqual([text, !parsed.success]);
        if (parsed.success) accepted.push(String(parsed.data.eventId));
      });
      const rows = await shop.lake('events');
      const mine = new Map(rows.map((row) => [String(row.eventId), row]));
      for (const text of texts.filter(wellNamed)) {
        const parsed = EventInput.safeParse(JSON.parse(text));
        if (!parsed.success) continue;
        const row = mine.get(String(parsed.data.eventId));
        expect(row).toMatchObject({
          type: parsed.data.type,
          customerId: parsed.data.customerId ?? null,
          sessionId: parsed.data.sessionId ?? null,
          channel: parsed.data.channel,
        });
        const at = new Date(parsed.data.occurredAt as number)
          .toISOString()
          .replace('T', ' ')
          .replace(/\.?0*Z$/, '');
        expect(String(row?.occurredAt)).toBe(at);
      }
    }),
    { numRuns: 8 },
  );
});

test('a purchase with a redeemed list that is none, in any of its shapes, is a rejected row; the rows around it are taken', async () => {
  const shop = await openShop();
  const purchase = (eventId: string, redeemed?: unknown) =>
    JSON.stringify({
      type: 'purchase',
      eventId,
      customerId: 'anna',
      occurredAt: '2026-01-02T03:04:05Z',
      channel: 'web',
      lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 450 }],
      redeemed,
    });
  const file = await shop.file(
    'redeemed.ndjson',
    [
      purchase('none'),
      purchase('one', [{ offerId: 'ten' }]),
      // None of these is JSON once it is taken for text, which is what DuckDB may do before it looks at the type.
      purchase('text', 'ten'),
      purchase('brackets', '[ten]'),
      purchase('object', { offerId: 'ten' }),
      purchase('number', 10),
      purchase('true', true),
      purchase('empty', []),
      purchase('of texts', ['ten']),
      purchase('of lists', [[{ offerId: 'ten' }]]),
      purchase('unnamed', [{ decisionId: 'd' }]),
      purchase('costly', [{ offerId: 'ten', costMinor: -1 }]),
      purchase('all told', [{ offerId: 'ten', decisionId: 'd', costMinor: 5 }, { offerId: 'five' }]),
    ].join('\n'),
  );
  const report = await shop.run('nextbest', [file]);
  const rejected = await shop.rejects(report);
  expect(rejected.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(new Set(rejected.map(({ reason }) => reason))).toEqual(new Set(['invalid']));
  const rows = await shop.lake('events');
  expect(
    rows.map(({ eventId, detail }) => [eventId, detail === null ? null : JSON.parse(String(detail))]),
  ).toEqual([
    ['all told', { redeemed: [{ offerId: 'ten', decisionId: 'd', costMinor: 5 }, { offerId: 'five' }] }],
    ['none', null],
    ['one', { redeemed: [{ offerId: 'ten' }] }],
  ]);
});
