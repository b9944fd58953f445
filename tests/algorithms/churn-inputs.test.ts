import { expect, test } from 'vitest';
import { createInputWriter, DERIVED_INPUTS, isTime } from '../../src/algorithms/churn-inputs.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';

const writer = createInputWriter(FEATURE_NAMES, {
  mbgNbd: { r: 0.5, alpha: 20, a: 0.8, b: 2.5 },
  paretoNbd: { r: 0.55, alpha: 20, s: 0.6, beta: 60 },
});

function inputsOf(features: Record<string, number>, horizonDays: number): Record<string, number> {
  const vector = Float32Array.from(FEATURE_NAMES, (name) => features[name] ?? 0);
  const out = new Float32Array(writer.names.length + 2);
  writer.write(Float32Array.of(9, ...vector), 1, horizonDays, out, 2);
  return Object.fromEntries(writer.names.map((name, n) => [name, out[n + 2]!]));
}

/** Three orders: `pace` is how fast all of it happens. */
const customer = (pace: number) => ({
  repeatErrands: 2,
  firstToLastOrderDays: 90 / pace,
  daysSinceFirstOrder: 120 / pace,
  daysSinceLastOrder: 30 / pace,
  gapMeanDays: 45 / pace,
  gapLogMean: Math.log(45 / pace),
  averageOrderValueMinor: 2000,
});

test('names are those of the models and of all features, in the order that is written', () => {
  expect(writer.names).toEqual([...DERIVED_INPUTS, ...FEATURE_NAMES]);
});

test('at half the pace and twice the horizon a customer looks the same', () => {
  const [fast, slow] = [inputsOf(customer(2), 30), inputsOf(customer(1), 60)];
  for (const name of [
    'daysSinceLastOrder',
    'gapMeanDays',
    'gapLogMean',
    'daysSinceFirstOrder',
    'expectedOrders',
  ])
    expect(slow[name]).toBeCloseTo(fast[name]!, 5);
  expect(inputsOf(customer(1), 30).daysSinceLastOrder).not.toBeCloseTo(slow.daysSinceLastOrder!, 1);
});

test('what is no time is the same for every horizon', () => {
  expect(inputsOf(customer(1), 90).averageOrderValueMinor).toBeCloseTo(Math.log1p(2000), 5);
  expect(isTime('averageOrderValueMinor')).toBe(false);
  expect(isTime('tenureDays') && isTime('daysSinceLastVisit')).toBe(true);
});

test('orders of late at an even pace count as that pace', () => {
  // 120 days, an order a day.
  const recent = (halfLife: number) => (halfLife / Math.LN2) * (1 - 2 ** (-120 / halfLife));
  const inputs = inputsOf(
    {
      repeatErrands: 120,
      firstToLastOrderDays: 119,
      daysSinceFirstOrder: 120,
      recentErrands30: recent(30),
      recentErrands90: recent(90),
      recentErrands360: recent(360),
    },
    10,
  );
  for (const name of ['expectedOrders', 'expectedOrders30', 'expectedOrders90', 'expectedOrders360'])
    expect(inputs[name]).toBeCloseTo(Math.log1p(10), 4);
});

test('everything is finite, for somebody of this minute and after a lifetime', () => {
  for (const features of [
    {},
    { repeatErrands: 10_000, firstToLastOrderDays: 4000, daysSinceFirstOrder: 4000 },
    { repeatErrands: 1, firstToLastOrderDays: 1, daysSinceFirstOrder: 10_000, daysSinceLastOrder: 9999 },
  ])
    for (const horizonDays of [1, 30, 365])
      for (const value of Object.values(inputsOf(features, horizonDays)))
        expect(Number.isFinite(value)).toBe(true);
});

test('features that lack what the probability models need are refused', () => {
  const { mbgNbd, paretoNbd } = {
    mbgNbd: { r: 1, alpha: 1, a: 1, b: 1 },
    paretoNbd: { r: 1, alpha: 1, s: 1, beta: 1 },
  };
  expect(() => createInputWriter(['rating'], { mbgNbd, paretoNbd })).toThrow('repeatErrands');
});
