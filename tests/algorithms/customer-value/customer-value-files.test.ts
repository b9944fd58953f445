import { expect, test } from 'vitest';
import {
  customerValueFromFiles,
  customerValueToFiles,
} from '../../../src/algorithms/customer-value/customer-value-files.ts';
import {
  customerValue,
  customerValueModel,
} from '../../../src/algorithms/customer-value/customer-value-model.ts';
import { valueSettings } from './support.ts';

const settings = valueSettings({
  margins: {
    assumedShare: 0.25,
    known: new Map([
      ['mug', { priceMinor: 900, share: 0.5 }],
      ['tea', { priceMinor: 400, share: 0.1 }],
    ]),
  },
});
const past = { errands: 4, recencyDays: 50, ageDays: 70, averageMarginMinor: 800 };

test('what was written is what is read', () => {
  const { arrays, tables } = customerValueToFiles(settings);
  const read = customerValueFromFiles(arrays, JSON.parse(JSON.stringify(tables)));
  expect(read).toMatchObject(settings);
  expect(customerValue(read, past)).toEqual(customerValue(customerValueModel(settings), past));
});

test.each<[string, (table: Record<string, unknown>) => void]>([
  [
    'without a parameter',
    (value) => delete (value.purchases as { parameters: Record<string, unknown> }).parameters.b,
  ],
  ['with a negative one', (value) => void Object.assign(value.spend as object, { q: -1 })],
  ['with too few limits', (value) => void Object.assign(value.thresholds as object, { errands: [2] })],
  ['of another model', (value) => void Object.assign(value.purchases as object, { model: 'poisson' })],
])('%s it is refused', (_fault, damage) => {
  const { arrays, tables } = customerValueToFiles(settings);
  const copy = structuredClone(tables) as { value: Record<string, unknown> };
  damage(copy.value);
  expect(() => customerValueFromFiles(arrays, copy)).toThrow('cannot be used');
});

test('with ids that do not fit their prices it is refused', () => {
  const { arrays, tables } = customerValueToFiles(settings);
  expect(() => customerValueFromFiles(arrays, { ...tables, itemIds: ['mug'] })).toThrow('item margins');
});
