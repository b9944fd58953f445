import { expect, test } from 'vitest';
import { DERIVED_INPUTS } from '../../../src/algorithms/churn-inputs.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { CustomerId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord } from '../../../src/features/record.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import { profileOf } from '../../../src/serve/routes/customers.ts';
import { shopChurnModel } from '../../support/shop-models.ts';

const now = Date.UTC(2026, 5, 1);
const anna = CustomerId.parse('anna');

/** The rating alone moves the risk, as it does of who has given none. */
function reasonsOf(...events: object[]) {
  const record = emptyRecord();
  const all = [{ type: 'purchase', lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 500 }] }, ...events];
  for (const [n, event] of all.entries())
    applyEvent(record, {
      ...{ eventId: `e${n}`, customerId: anna, channel: 'web', occurredAt: now - 5 * dayMs + n },
      ...event,
    } as unknown as ShopEvent);
  const model = shopChurnModel();
  const weights = model.wide.weights.slice().fill(0);
  weights[DERIVED_INPUTS.length + FEATURE_NAMES.indexOf('lastRating')] = 1;
  const churn = { model: { ...model, wide: { ...model.wide, weights } }, version: 'v1' } as never;
  return profileOf(anna, record, { churn, customerValue: undefined }, now).churn?.reasons;
}

test('a reason by what was never observed has no value, where the model reads a stand-in', () => {
  expect(reasonsOf()).toMatchObject([{ feature: 'lastRating', value: null, text: 'has never rated us' }]);
  expect(reasonsOf({ type: 'rating', rating: 4 })).toMatchObject([
    { feature: 'lastRating', value: 4, text: 'last rated us 4 of 5' },
  ]);
});
