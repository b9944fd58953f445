import { expect, test } from 'vitest';
import { customerValueFromFiles } from '../../src/algorithms/customer-value/customer-value-files.ts';
import { valueIfAlive } from '../../src/algorithms/customer-value/customer-value-model.ts';
import { customerFacts } from '../../src/decide/customer-facts.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import { CustomerId, EventId, ItemId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import { customerPastOf } from '../../src/scoring/customer-past.ts';
import type { Models, Served } from '../../src/scoring/served.ts';
import { itemsById, noon } from '../support/offers.ts';
import { shopChurnModel, shopItems, shopModel, shopValueFiles } from '../support/shop-models.ts';

const served = <M>(model: M) => ({ version: 'v', manifest: {}, model }) as Served<M>;
const models: Models = {
  collaborative: served(shopModel()),
  churn: served(shopChurnModel()),
  customerValue: undefined,
  offers: undefined,
};
const none: Models = {
  collaborative: undefined,
  churn: undefined,
  customerValue: undefined,
  offers: undefined,
};
const items = itemsById(...shopItems);
const item = (id: string) => ItemId.parse(id);
const nothing = { itemIds: [], basketMinor: undefined };

let events = 0;
function recordOf(...inputs: object[]): CustomerRecord {
  const record = emptyRecord();
  for (const input of inputs) {
    const common = {
      customerId: CustomerId.parse('c'),
      eventId: EventId.parse(`e${events++}`),
      channel: 'web',
      occurredAt: noon,
    };
    applyEvent(record, { ...common, ...input } as ShopEvent);
  }
  return record;
}
const bought = (itemId: string, unitPriceMinor: number, orderId: string) => ({
  type: 'purchase',
  orderId,
  lines: [{ itemId, category: itemId.split('-')[0], quantity: 1, unitPriceMinor }],
});

test('of a customer whom nobody knows, nothing is assumed', () => {
  const facts = customerFacts('c1', undefined, models, items, nothing, noon);
  expect(facts).toMatchObject({
    loyaltyTier: 'none',
    consent: {},
    complaintOpen: false,
    churnRisk: undefined,
    averageOrderMinor: undefined,
    categoryEvidence: 0,
  });
  expect(facts.tasteRank(item('coffee-1'))).toBeUndefined();
});

test('what a customer who stays is worth comes from the customer value model', () => {
  const customerValue = served(customerValueFromFiles(...shopValueFiles()));
  const record = recordOf(bought('coffee-1', 600, 'o1'));
  const facts = customerFacts('c1', record, { ...models, customerValue }, items, nothing, noon + 30 * dayMs);
  const past = customerPastOf(record, customerValue.model.margins, noon + 30 * dayMs);
  expect(facts.remainingLifetimeValueMinor).toBe(past && valueIfAlive(customerValue.model, past));
  expect(facts.remainingLifetimeValueMinor).toBeGreaterThan(0);
  expect(
    customerFacts('c1', record, models, items, nothing, noon).remainingLifetimeValueMinor,
  ).toBeUndefined();
  expect(
    customerFacts('c1', recordOf(), { ...models, customerValue }, items, nothing, noon)
      .remainingLifetimeValueMinor,
  ).toBeUndefined();
});

test('what the contact policy goes by comes from the record', () => {
  const outcome = (kind: string) => ({
    type: 'offerOutcome',
    decisionId: 'd',
    offerId: 'ten',
    outcome: kind,
  });
  const record = recordOf(
    { type: 'customerUpdated', attributes: { timeZone: 'Europe/Berlin' } },
    { type: 'rating', rating: 2 },
    { type: 'rating', rating: 5, occurredAt: noon + 1 },
    outcome('dismissed'),
    outcome('viewed'),
  );
  const facts = customerFacts('c', record, none, items, nothing, noon);
  expect(facts.timeZone).toBe('Europe/Berlin');
  expect([facts.lastRatedBelow(3), facts.lastRatedBelow(2)]).toEqual([noon, undefined]);
  expect(facts.offerAnswers).toEqual([{ offerId: 'ten', outcome: 'dismissed', at: noon }]);
  expect(facts.contacts).toEqual([]);
});

test('attributes and open complaints come from the record', () => {
  const attributes = { loyaltyTier: 'gold', segment: 'Norway', consent: { email: true } };
  const complaint = { type: 'contact', complaint: 'opened' };
  const open = recordOf({ type: 'customerUpdated', attributes }, complaint);
  expect(customerFacts('c1', open, none, items, nothing, noon)).toMatchObject({
    ...attributes,
    complaintOpen: true,
  });
  const resolved = recordOf(complaint, { type: 'contact', complaint: 'resolved' });
  expect(customerFacts('c1', resolved, none, items, nothing, noon).complaintOpen).toBe(false);
});

test('the average order, the churn risk and the shares of categories come from purchases', () => {
  const record = recordOf(
    bought('coffee-1', 600, 'o1'),
    bought('coffee-2', 800, 'o1'),
    bought('tea-1', 600, 'o2'),
  );
  const facts = customerFacts('c1', record, models, items, nothing, noon);
  expect(facts.averageOrderMinor).toBe((600 + 800 + 600) / 2);
  expect(facts.churnRisk).toBeGreaterThan(0);
  expect(facts.categoryShares.get('coffee')).toBeCloseTo(2 / 3);
  expect(facts.categoryEvidence).toBeCloseTo(3);
});

test('someone who has never ordered has no churn risk: the model knows nothing of such', () => {
  const record = recordOf({ type: 'view', lines: [{ itemId: 'tea-1', category: 'tea', quantity: 1 }] });
  expect(customerFacts('c1', record, models, items, nothing, noon).churnRisk).toBeUndefined();
});

test('the churn risk is told as worked out once something has asked for it, also where it is not known', () => {
  const record = recordOf(bought('tea-1', 600, 'o1'));
  const facts = customerFacts('c1', record, models, items, nothing, noon);
  expect(facts.workedOut?.()).not.toHaveProperty('churnRisk');
  const { churnRisk } = facts;
  expect(churnRisk).toBeGreaterThan(0);
  expect(facts.workedOut?.().churnRisk).toBe(churnRisk);
  const unknown = customerFacts('c1', undefined, models, items, nothing, noon);
  expect(unknown.churnRisk).toBeUndefined();
  expect(unknown.workedOut?.().churnRisk).toBeNull();
});

test('taste follows purchases, and what is on the page counts at once', () => {
  const drinker = customerFacts('c1', recordOf(bought('tea-3', 800, 'o1')), models, items, nothing, noon);
  expect(drinker.tasteRank(item('tea-1'))).toBeGreaterThan(drinker.tasteRank(item('coffee-1')) ?? 1);
  const page = { itemIds: [item('coffee-3'), item('unknown')], basketMinor: undefined };
  const guest = customerFacts('c1', undefined, models, items, page, noon);
  expect(guest.tasteRank(item('coffee-1'))).toBeGreaterThan(guest.tasteRank(item('tea-1')) ?? 1);
  expect(guest.categoryShares).toEqual(new Map([['coffee', 1]]));
  expect(guest.categoryEvidence).toBeCloseTo(0.3);
});

test('has no accessor of its own: each one that had kept its record in memory, long after it was decided on', () => {
  const facts = customerFacts('c1', recordOf(), models, items, nothing, noon);
  const own = Object.values(Object.getOwnPropertyDescriptors(facts));
  expect(own.filter(({ get }) => get !== undefined)).toEqual([]);
  expect(own.length).toBeGreaterThan(5);
});
