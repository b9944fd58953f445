import { describe, expect, test } from 'vitest';
import { bgNbd, mbgNbd } from '../../../src/algorithms/customer-base/beta-geometric.ts';
import { gammaGamma } from '../../../src/algorithms/customer-base/gamma-gamma.ts';
import { paretoNbd } from '../../../src/algorithms/customer-base/pareto-nbd.ts';
import {
  type CustomerPast,
  type CustomerValueSettings,
  customerValue,
  customerValueModel,
  valueIfAlive,
} from '../../../src/algorithms/customer-value/customer-value-model.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { drawBetaGeometric, drawParetoNbd } from '../../support/customer-base.ts';
import { valueSettings } from './support.ts';

const past: CustomerPast = { errands: 3, recencyDays: 60, ageDays: 90, averageMarginMinor: 1000 };

test('without a discount it is expected purchases times the expected margin', () => {
  const settings = valueSettings({ annualDiscountRate: 0 });
  const { valueMinor, expectedPurchases, horizonDays } = customerValue(customerValueModel(settings), past);
  const outlook = mbgNbd.given(settings.purchases.parameters as never);
  expect(expectedPurchases).toBeCloseTo(outlook.expectedPurchases(2, 60, 90, horizonDays), 12);
  const margin = gammaGamma.given(settings.spend).expectedAverageSpend(3, 1000);
  expect(valueMinor).toBe(Math.round(expectedPurchases * margin));
});

test('purchases to come are discounted by when they come', () => {
  const plain = customerValue(customerValueModel(valueSettings({ annualDiscountRate: 0 })), past);
  const settings = valueSettings({ annualDiscountRate: 0.1, horizonDays: 365 });
  const model = customerValueModel(settings);
  const { valueMinor } = customerValue(model, past);
  // Day by day: the purchases of each day at its own discount.
  let [sum, before] = [0, 0];
  for (let day = 1; day <= 365; day++) {
    const until = model.outlook.expectedPurchases(2, 60, 90, day);
    sum += (until - before) * 1.1 ** (-(day - 0.5) / 365);
    before = until;
  }
  const margin = gammaGamma.given(settings.spend).expectedAverageSpend(3, 1000);
  expect(valueMinor / (sum * margin)).toBeCloseTo(1, 3);
  expect(valueMinor).toBeLessThan(plain.valueMinor);
});

test('who has brought nothing in is worth little; who left long ago nothing, with certainty', () => {
  const model = customerValueModel(valueSettings());
  const rich = customerValue(model, { ...past, averageMarginMinor: 5000 });
  const poor = customerValue(model, { ...past, averageMarginMinor: -200 });
  expect(poor.valueMinor).toBeGreaterThanOrEqual(0);
  expect(poor.valueMinor).toBeLessThan(0.3 * rich.valueMinor);
  expect(
    customerValue(model, { errands: 40, recencyDays: 100, ageDays: 5000, averageMarginMinor: 900 }),
  ).toMatchObject({ valueMinor: 0, lowMinor: 0, highMinor: 0 });
});

test('what keeping a customer is worth, times how likely she is still there, is her value', () => {
  const model = customerValueModel(valueSettings());
  for (const one of [past, { ...past, errands: 1, recencyDays: 0 }, { ...past, ageDays: 400 }]) {
    const alive = model.outlook.probabilityAlive(one.errands - 1, one.recencyDays, one.ageDays);
    expect(Math.round(alive * valueIfAlive(model, one))).toBe(customerValue(model, one).valueMinor);
  }
  // However unlikely: it is a customer who stays that it speaks of.
  expect(
    valueIfAlive(model, { errands: 40, recencyDays: 100, ageDays: 1000, averageMarginMinor: 900 }),
  ).toBeGreaterThan(1000);
});

const spend = { p: 2.5, q: 4, v: 3000 };
const horizonDays = 40;
const bases = {
  'bg-nbd': {
    model: bgNbd,
    drawn: drawBetaGeometric({ r: 1.3, alpha: 6, a: 0.5, b: 3 }, 12_000, createRng(3, 'bg'), {
      atFirst: false,
      horizon: horizonDays,
    }),
  },
  'mbg-nbd': {
    model: mbgNbd,
    drawn: drawBetaGeometric({ r: 1.1, alpha: 5, a: 0.5, b: 4 }, 12_000, createRng(4, 'mbg'), {
      atFirst: true,
      horizon: horizonDays,
    }),
  },
  'pareto-nbd': {
    model: paretoNbd,
    drawn: drawParetoNbd({ r: 0.8, alpha: 5, s: 0.7, beta: 20 }, 12_000, createRng(5, 'pareto'), horizonDays),
  },
} as const;

describe.each(Object.entries(bases))('%s: what comes of simulated customers', (name, { model, drawn }) => {
  // Fitted to one half, held to the other: the parameters are not the true ones.
  const customers = drawn.age.length;
  const half = customers / 2;
  const first = (column: Float64Array) => column.slice(0, half);
  const { parameters } = model.fit({
    frequency: first(drawn.frequency),
    recency: first(drawn.recency),
    age: first(drawn.age),
  });
  const rng = createRng(9, 'margins', name);
  const nu = Float64Array.from({ length: customers }, () => rng.gamma(spend.q) / spend.v);
  const sumOf = (customer: number, purchases: number) =>
    purchases === 0 ? 0 : rng.gamma(spend.p * purchases) / nu[customer]!;
  const soFar = drawn.frequency.map((x, customer) => sumOf(customer, x + 1));
  const toCome = drawn.future.map((purchases, customer) => sumOf(customer, purchases));
  const fittedSpend = gammaGamma.fit({
    frequency: first(drawn.frequency).map((x) => x + 1),
    averageSpend: first(soFar).map((sum, customer) => sum / (drawn.frequency[customer]! + 1)),
  });
  const settings: CustomerValueSettings = valueSettings({
    purchases: { model: name as keyof typeof bases, parameters },
    spend: fittedSpend.parameters,
    annualDiscountRate: 0,
    horizonDays,
  });
  const fitted = customerValueModel(settings);
  const worthOf = (customer: number) => {
    const errands = drawn.frequency[customer]! + 1;
    return customerValue(fitted, {
      errands,
      recencyDays: drawn.recency[customer]!,
      ageDays: drawn.age[customer]!,
      averageMarginMinor: soFar[customer]! / errands,
    });
  };
  const heldOut = Array.from({ length: half }, (_, n) => half + n);

  test('the values add up to it', () => {
    const expected = heldOut.reduce((sum, customer) => sum + worthOf(customer).valueMinor, 0);
    const came = heldOut.reduce((sum, customer) => sum + toCome[customer]!, 0);
    // Six thousand customers leave the rate of leaving uncertain by a fifth of itself.
    expect(expected / came).toBeGreaterThan(0.85);
    expect(expected / came).toBeLessThan(1.15);
  });

  test.each([
    ['all', () => true],
    ['one errand', (customer: number) => drawn.frequency[customer] === 0],
    ['two to five', (customer: number) => drawn.frequency[customer]! > 0 && drawn.frequency[customer]! < 5],
    ['more', (customer: number) => drawn.frequency[customer]! >= 5],
  ] as const)(
    '%s: about one in ten brings in more than the interval says, no more than that less',
    (_group, isIn) => {
      const group = heldOut.filter(isIn);
      let [below, above] = [0, 0];
      for (const customer of group) {
        const { lowMinor, highMinor } = worthOf(customer);
        if (toCome[customer]! < lowMinor - 0.5) below++;
        if (toCome[customer]! > highMinor + 0.5) above++;
      }
      // One in ten lies above. Below there is no room for those whose tenth worst case is to bring in nothing.
      expect(above / group.length).toBeGreaterThan(0.07);
      expect(above / group.length).toBeLessThan(0.13);
      expect(below / group.length).toBeLessThan(0.12);
    },
  );

  test('of those who will most likely buy, about one in ten also brings in less', () => {
    const sure = heldOut.filter((customer) => worthOf(customer).lowMinor > 0);
    const below = sure.filter((customer) => toCome[customer]! < worthOf(customer).lowMinor).length;
    expect(sure.length).toBeGreaterThan(200);
    expect(below / sure.length).toBeGreaterThan(0.05);
    expect(below / sure.length).toBeLessThan(0.17);
  });
});
