/** An answer put together from pieces is what `JSON.stringify` makes of it, and no item is written twice. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Item } from '../../../src/domain/item.ts';
import { createItemsText } from '../../../src/serve/recommend/page-text.ts';
import type { RecommendedItem } from '../../../src/serve/recommend/pool-item.ts';
import { promotedReason, reasonOf } from '../../../src/serve/recommend/reasons.ts';
import { SOURCES } from '../../../src/serve/recommend/scenarios.ts';

const names = ['Elm "Street"', 'Kaffee größer', '\ud83d\ude00 \\', '', '</script>\u2028'];
const itemOf = (n: number, name = names[n % names.length] ?? '') =>
  Item.parse({ itemId: `i${n}`, ...(name !== '' && { name }), category: 'Coffee & Tea', priceMinor: 5 });
const catalogueOf = (count: number) => ({
  items: new Map(Array.from({ length: count }, (_, n): [string, Item] => [`i${n}`, itemOf(n)])),
});
const items = 12;
const catalogue = catalogueOf(items);
const nameOf = (itemId: string) => catalogue.items.get(itemId)?.name || itemId;

/** Some of which the catalogue has no item. */
const itemId = fc.integer({ min: 0, max: items + 3 }).map((n) => `i${n}`);

const reason = fc.oneof(
  fc.constant(promotedReason),
  fc
    .record({
      source: fc.constantFrom(...SOURCES),
      because: fc.option(itemId, { nil: undefined }),
      usualGap: fc.option(
        fc.record({ days: fc.float({ min: 0, max: 90, noNaN: true }), personal: fc.boolean() }),
        {
          nil: undefined,
        },
      ),
      segment: fc.constantFrom('', 'north "1"'),
      isRising: fc.boolean(),
      category: fc.constantFrom('', 'Tea'),
    })
    .map(({ source, category, ...evidence }) => reasonOf(source, evidence, nameOf, category)),
);

const answered: fc.Arbitrary<RecommendedItem> = fc
  .record({
    itemId,
    score: fc.oneof(fc.float({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, -0, 1e-9, 1e21)),
    source: fc.constantFrom(...SOURCES),
    reasons: fc.array(reason, { minLength: 1, maxLength: 3 }),
    contributions: fc.dictionary(
      fc.constantFrom(...SOURCES),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    ),
    arranged: fc.array(fc.record({ rule: fc.constantFrom('boosts', 'pins'), to: fc.nat(9) })),
  })
  .map(({ itemId: id, ...rest }) => ({
    itemId: id,
    name: catalogue.items.get(id)?.name || undefined,
    ...rest,
  }));

test('answers, explained or not, are what JSON.stringify makes of them, to the byte, however often they come', () => {
  const text = createItemsText(catalogue);
  fc.assert(
    fc.property(fc.array(answered, { maxLength: 12 }), (list) => {
      expect(text(list, true)).toBe(JSON.stringify(list));
      const brief = list.map(({ contributions: _, arranged: __, ...item }) => item);
      expect(text(list)).toBe(JSON.stringify(brief));
      const related = brief.map(({ source: _, ...item }) => item);
      expect(text(related)).toBe(JSON.stringify(related));
    }),
    { numRuns: 200 },
  );
});

test('an item and what it is a reason for are written once, until the catalogue has another', () => {
  let reads = 0;
  const counted = (n: number) =>
    Object.defineProperty({ ...itemOf(n, 'Elm') }, 'name', {
      get: () => {
        reads++;
        return 'Elm';
      },
    });
  const own = new Map([0, 1].map((n) => [`i${n}`, counted(n)] as const));
  const text = createItemsText({ items: own });
  const page = (name: string) => [
    {
      itemId: 'i0',
      name,
      score: 1,
      reasons: [reasonOf('neighbours', { because: 'i1', segment: '' }, () => 'Oak')],
    },
  ];
  const first = text(page('Elm'));
  const once = reads;
  expect(once).toBeGreaterThan(0);
  const stringify = JSON.stringify;
  let serialised = 0;
  JSON.stringify = ((...given: Parameters<typeof stringify>) => {
    serialised++;
    return stringify(...given);
  }) as typeof stringify;
  try {
    for (let again = 0; again < 5; again++) expect(text(page('Elm')) === first).toBe(true);
  } finally {
    JSON.stringify = stringify;
  }
  expect(reads).toBe(once);
  expect(serialised).toBe(0);
  own.set('i0', itemOf(0, 'Ash'));
  expect(JSON.parse(text(page('Ash')))[0].name).toBe('Ash');
});
