import { expect, test } from 'vitest';
import { createOfferTimeline } from '../../../src/decide/ledger/offer-timeline.ts';
import type { Offer } from '../../../src/domain/offer.ts';
import { makeOffer } from '../../support/offers.ts';

const withBudget = (count: number | undefined, name = 'an offer') =>
  makeOffer({ offerId: 'a', name, ...(count !== undefined && { budget: { count } }) });

function timelineOf(...offers: (Offer | undefined)[]) {
  const timeline = createOfferTimeline();
  for (const [n, offer] of offers.entries()) timeline.add({ offerId: 'a', at: 10 * (n + 1), offer });
  return timeline;
}

test('an offer is at an instant what was saved last before it, and the first before that', () => {
  const timeline = timelineOf(withBudget(1), withBudget(2), undefined, withBudget(3));
  expect([0, 10, 19, 20, 30, 40, 99].map((at) => timeline.at('a', at)?.budget?.count)).toEqual([
    1,
    1,
    1,
    2,
    undefined,
    3,
    3,
  ]);
  expect(timeline.at('a', 30)).toBeUndefined();
  expect(timeline.at('b', 30)).toBeUndefined();
});

test('the latest is whole, also where nothing of its budget has changed, and none once it is deleted', () => {
  const renamed = withBudget(1, 'another name');
  expect(timelineOf(withBudget(1), renamed).latest('a')).toEqual(renamed);
  const deleted = timelineOf(renamed, undefined);
  expect(deleted.latest('a')).toBeUndefined();
  // What is out of it is still out.
  expect(deleted.everBudgeted()).toEqual([renamed]);
});

test('an offer counts among the budgeted if it ever had a budget', () => {
  const now = withBudget(undefined);
  expect(timelineOf(withBudget(1), now).everBudgeted()).toEqual([now]);
  expect(timelineOf(now).everBudgeted()).toEqual([]);
});
