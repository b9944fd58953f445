import { expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { decisionSpan, readLoggedActions } from '../../src/history/logged-decisions.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';
import { decisionOf, offerShopStart, tenOff } from '../support/offer-shop.ts';

const at = (day: number) => offerShopStart + day * dayMs;

test('each place of each decision once, in the order of time, with its probability', async () => {
  const lake = await testLake();
  const write = (name: string, decisions: ReturnType<typeof decisionOf>[]) =>
    writeEntries(lake, name, { events: [], catalogue: [], decisions });
  expect(await decisionSpan(lake, at(100))).toBeUndefined();
  const [first, second, guest, unlogged, fallback] = [
    decisionOf('d1', 'c1', at(2), true),
    decisionOf('d2', 'c1', at(1), false),
    decisionOf('d3', 'c1', at(1), true),
    decisionOf('d4', 'c2', at(3), true),
    decisionOf('d5', 'c2', at(4), true),
  ] as const;
  delete guest.customerId;
  delete unlogged.placements[0]!.loggingPropensity;
  fallback.placements[0]!.fallback = true;
  fallback.placements.push({ ...first.placements[0]!, placement: 'footer' });
  const redeemableUntil = new Date(at(9)).toISOString();
  first.placements[0]!.offers[0]!.redeemableUntil = redeemableUntil;
  // The same decision may be logged twice.
  await write('import-a', [first, second, guest, unlogged]);
  await write('import-b', [first, fallback]);

  const range = { since: 0, before: at(100), share: 1 };
  const { byCustomer, unusable } = await readLoggedActions(lake, range);
  const told = [...byCustomer].map(([customerId, actions]) => [
    customerId,
    actions.map(({ decisionId, placement, offer, propensity }) => [
      decisionId,
      placement,
      offer?.offerId,
      propensity,
    ]),
  ]);
  expect(told).toEqual([
    [
      'c1',
      [
        ['d2', 'hero', undefined, 0.6],
        ['d1', 'hero', tenOff.offerId, 0.4],
      ],
    ],
    [
      'c2',
      [
        // A fallback stands in for nothing.
        ['d5', 'hero', undefined, 0.4],
        ['d5', 'footer', tenOff.offerId, 0.4],
      ],
    ],
  ]);
  expect(unusable).toBe(1);
  // Until when it can be redeemed, where it has an end.
  expect(byCustomer.get('c1')!.map(({ offer }) => offer?.redeemableUntil)).toEqual([
    undefined,
    redeemableUntil,
  ]);
  expect(await decisionSpan(lake, at(100))).toEqual({ from: at(1), to: at(4), decisions: 4 });
  const early = await readLoggedActions(lake, { ...range, since: at(2), before: at(3) });
  expect([...early.byCustomer.keys()]).toEqual(['c1']);
  expect((await readLoggedActions(lake, { ...range, share: 0 })).byCustomer.size).toBe(0);
});
