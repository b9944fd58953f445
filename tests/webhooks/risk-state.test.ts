import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRiskState, encodeRiskState, type RiskState, seeRisk } from '../../src/webhooks/risk-state.ts';

const bound = 0.7;

/** Sees the risks one after another, at 0, 1, 2 …: the times at which a crossing was told, and by which name. */
function crossings(risks: readonly number[]): [number, number][] {
  let state: RiskState | undefined;
  const crossed: [number, number][] = [];
  risks.forEach((risk, now) => {
    const seen = seeRisk(state, risk, bound, now);
    state = seen.state;
    if (seen.crossed) crossed.push([now, state.since]);
  });
  return crossed;
}

test('an upward crossing is told once, and named by when the customer was first below', () => {
  expect(crossings([0.2, 0.5, 0.8, 0.9, 0.75])).toEqual([[2, 0]]);
});

test('a risk that wavers about the bound is told of once; below four fifths of it (.56), it can cross again', () => {
  expect(crossings([0.6, 0.71, 0.69, 0.71, 0.57, 0.71])).toEqual([[1, 0]]);
  expect(crossings([0.6, 0.71, 0.55, 0.6, 0.71])).toEqual([
    [1, 0],
    [4, 2],
  ]);
});

test('who is above when first seen has not crossed', () => {
  expect(crossings([0.9, 0.9])).toEqual([]);
  expect(crossings([0.9, 0.2, 0.9])).toEqual([[2, 1]]);
});

test('at the bound is not above it', () => {
  expect(crossings([0.5, 0.7])).toEqual([]);
});

test('seen again from the state before, a crossing has the same name', () => {
  const below: RiskState = { above: false, since: 5 };
  const names = [10, 11].map((now) => seeRisk(below, 0.8, bound, now).state.since);
  expect(names).toEqual([5, 5]);
});

test('no two crossings of a customer have one name, and each comes after a fall', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }), (risks) => {
      const told = crossings(risks);
      expect(new Set(told.map(([, name]) => name)).size).toBe(told.length);
      told.slice(1).forEach(([at], c) => {
        const between = risks.slice(told[c]![0], at);
        expect(Math.min(...between)).toBeLessThan(0.8 * bound);
      });
    }),
  );
});

test('a state is read as it was written', () => {
  for (const state of [
    { above: true, since: 1_700_000_000_000 },
    { above: false, since: 0 },
  ])
    expect(decodeRiskState(encodeRiskState(state))).toEqual(state);
  for (const text of [null, undefined, '', '5', '+x']) expect(decodeRiskState(text)).toBeUndefined();
});
