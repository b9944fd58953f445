import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayMs } from '../../../src/domain/time.ts';
import { type ArrangeRequest, arrange, type Candidate } from '../../../src/serve/recommend/arrange.ts';
import { Scenario } from '../../../src/serve/recommend/scenarios.ts';

const now = Date.UTC(2026, 0, 15, 12);

function item(itemId: string, score: number, traits: Partial<Candidate> = {}): Candidate {
  return { itemId, score, category: '', brand: '', marginShare: undefined, vector: undefined, ...traits };
}

/** a, b, c … of scores 1, 1/2, 1/3 …; category and brand by the letter's place. */
function letters(count: number, traits: (at: number) => Partial<Candidate> = () => ({})): Candidate[] {
  return Array.from({ length: count }, (_, at) =>
    item(String.fromCharCode(97 + at), 1 / (at + 1), traits(at)),
  );
}

type Rules = Omit<Parameters<typeof Scenario.parse>[0] & object, 'learned'>;

function arranged(
  candidates: readonly Candidate[],
  rules: Rules,
  request: Partial<ArrangeRequest<Candidate>> = {},
) {
  return arrange(candidates, Scenario.parse({ learned: 1, ...rules }), {
    n: candidates.length,
    now,
    seed: 'home somebody',
    capCategories: true,
    newcomers: [],
    pinned: () => undefined,
    ...request,
  });
}

const ids = (list: readonly { item: Candidate }[]) => list.map(({ item: { itemId } }) => itemId).join('');
const alternating = (at: number) => ({ category: at < 4 ? 'tea' : 'coffee', brand: at % 2 ? 'Elm' : 'Oak' });

test('without rules a list stays as it was ranked, cut to n, and nothing is said to have moved', () => {
  const list = arranged(letters(6), {}, { n: 4 });
  expect(ids(list)).toBe('abcd');
  expect(list.every(({ moves, factor }) => moves.length === 0 && factor === 1)).toBe(true);
});

test('boosts multiply: what matches several gets the product, what matches none stays', () => {
  const boosts = [
    { brands: ['Elm'], factor: 3 },
    { categories: ['coffee'], brands: ['Elm'], factor: 2 },
    { itemIds: ['a'], factor: 0.1 },
  ];
  // a 1·0.1, b 1/2·3, c 1/3, d 1/4·3, e 1/5, f 1/6·3·2.
  const list = arranged(letters(6, alternating), { boosts });
  expect(ids(list)).toBe('bfdcea');
  expect(list.map(({ score }) => Math.round(100 * score) / 100)).toEqual([1.5, 1, 0.75, 0.33, 0.2, 0.1]);
  expect(list[1]?.moves).toEqual([{ rule: 'boosts', from: 6, to: 2, factor: 6 }]);
  // Pushed down by others: no factor of its own.
  expect(list[3]?.moves).toEqual([{ rule: 'boosts', from: 3, to: 4 }]);
});

test('a boost by margin knows only items whose margin is known, and holds from its beginning until before its end', () => {
  const margins = (at: number) => ({ marginShare: [0.1, undefined, 0.5][at] });
  const boost = { minMarginShare: 0.4, factor: 10 };
  expect(ids(arranged(letters(3, margins), { boosts: [boost] }))).toBe('cab');
  const inJanuary = { ...boost, from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' };
  const at = (time: string) =>
    ids(arranged(letters(3, margins), { boosts: [inJanuary] }, { now: Date.parse(time) }));
  expect(at('2025-12-31T23:59:59Z')).toBe('abc');
  expect(at('2026-01-01T00:00:00Z')).toBe('cab');
  expect(at('2026-02-01T00:00:00Z')).toBe('abc');
});

test('a cap lets the next of another category pass, and is relaxed rather than the list left short', () => {
  const list = arranged(letters(6, alternating), { diversity: { maxPerCategory: 2 } }, { n: 5 });
  // Two teas, both coffees; then c, though it is the third tea.
  expect(ids(list)).toBe('abefc');
  expect(list[2]?.moves).toEqual([{ rule: 'diversity', from: 5, to: 3 }]);
  const strict = { diversity: { maxPerCategory: 2, strict: true } };
  expect(ids(arranged(letters(6, alternating), strict, { n: 5 }))).toBe('abef');
});

test('a cap below 1 is a share of the list, rounded up; a category that was asked for is not capped', () => {
  const half = { diversity: { maxPerCategory: 0.5 } };
  // ⌈0.5 · 3⌉ = 2 teas.
  expect(ids(arranged(letters(6, alternating), half, { n: 3 }))).toBe('abe');
  expect(ids(arranged(letters(6, alternating), half, { n: 3, capCategories: false }))).toBe('abc');
  expect(ids(arranged(letters(6, alternating), { diversity: { maxPerBrand: 1 } }, { n: 2 }))).toBe('ab');
});

test('maximal marginal relevance: the second of two of a kind makes room, as λ has it', () => {
  const twins = [
    item('a', 1, { vector: Float32Array.of(1, 0) }),
    item('b', 0.9, { vector: Float32Array.of(2, 0) }),
    item('c', 0.5, { vector: Float32Array.of(0, 1) }),
  ];
  // After a: b has λ·0.9 − (1 − λ)·1, c has λ·0.5 − 0; equal at λ = 1/1.4 ≈ 0.714.
  expect(ids(arranged(twins, { diversity: { lambda: 0.7 } }))).toBe('acb');
  expect(ids(arranged(twins, { diversity: { lambda: 0.73 } }))).toBe('abc');
  expect(ids(arranged(twins, { diversity: { lambda: 1 } }))).toBe('abc');
});

test('rotation: the same within the window and for the same seed, another after it', () => {
  const close = Array.from({ length: 20 }, (_, at) => item(String.fromCharCode(97 + at), 1 - 0.005 * at));
  const rules = { rotation: { everyHours: 24, keepTop: 3 } };
  const midnight = now - (now % dayMs);
  const at = (time: number, seed = 's') => ids(arranged(close, rules, { now: time, seed }));
  expect(at(midnight + dayMs - 1)).toBe(at(midnight));
  expect(at(midnight + dayMs)).not.toBe(at(midnight));
  expect(at(midnight, 'another')).not.toBe(at(midnight));
  expect(at(midnight).slice(0, 3)).toBe('abc');
});

test('rotation loses no more than it may: each place goes to a score near the best one left', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(5),
      fc.string(),
      (scores, maxLoss, keepTop, seed) => {
        const ranked = scores.sort((a, b) => b - a).map((score, at) => item(`i${at}`, score));
        const list = arranged(ranked, { rotation: { maxLoss, keepTop } }, { seed });
        expect(new Set(list.map((entry) => entry.item))).toEqual(new Set(ranked));
        for (let at = 0; at < list.length; at++) {
          const best = Math.max(...list.slice(at).map(({ score }) => score));
          expect(list[at]!.score).toBeGreaterThanOrEqual((1 - maxLoss) * best);
          if (at < keepTop) expect(list[at]!.item).toBe(ranked[at]);
        }
      },
    ),
  );
});

test('rotation draws in proportion: of two items, by score^(1/T)', () => {
  const pair = [item('a', 1), item('b', 0.9)];
  const rules = { rotation: { keepTop: 0, temperature: 0.1, maxLoss: 0.2 } };
  let first = 0;
  for (let seed = 0; seed < 4000; seed++) {
    if (ids(arranged(pair, rules, { seed: String(seed) })) === 'ab') first++;
  }
  // 1 / (1 + 0.9^10) = 0.741; a standard deviation of 4,000 draws is 0.007.
  expect(first / 4000).toBeGreaterThan(0.741 - 0.028);
  expect(first / 4000).toBeLessThan(0.741 + 0.028);
});

test('new items have their share of the places and no more, in short lists by chance', () => {
  const newcomers = [item('Y', 2), item('Z', 1)];
  const rules = { newItems: { share: 0.1 } };
  for (let seed = 0; seed < 50; seed++) {
    const list = arranged(letters(20), rules, { n: 10, newcomers, seed: String(seed) });
    // One of ten, in the middle of the list.
    expect(ids(list)).toBe('abcdeYfghi');
    expect(list[5]?.moves).toEqual([{ rule: 'newItems', to: 6 }]);
  }
  let shown = 0;
  for (let seed = 0; seed < 1000; seed++) {
    if (ids(arranged(letters(20), rules, { n: 4, newcomers, seed: String(seed) })).includes('Y')) shown++;
  }
  // 0.1 · 4 places in the mean; a standard deviation of 1,000 draws is 15.
  expect(shown).toBeGreaterThan(400 - 60);
  expect(shown).toBeLessThan(400 + 60);
  expect(ids(arranged(letters(20), rules, { n: 20, newcomers }))).toHaveLength(20);
  expect(ids(arranged(letters(4), {}, { newcomers }))).toBe('abcd');
});

test('pins stand at their places, whatever the rest is; of what may not be shown nothing is seen', () => {
  const shelf = new Map(['e', 'X', 'Y'].map((itemId) => [itemId, item(itemId, 0)]));
  const pins = [
    { itemId: 'X', position: 1 },
    { itemId: 'gone', position: 1 },
    { itemId: 'e', position: 3 },
    { itemId: 'Y', position: 1, until: '2026-01-01T00:00:00Z' },
    { itemId: 'Y', position: 9 },
  ];
  const list = arranged(letters(6), { pins }, { n: 5, pinned: ({ itemId }) => shelf.get(itemId) });
  expect(ids(list)).toBe('Xaebc');
  expect(list.map(({ isPinned }) => isPinned)).toEqual([true, false, true, false, false]);
  expect(list[0]?.moves).toEqual([{ rule: 'pins', to: 1 }]);
  expect(list[2]?.moves).toEqual([{ rule: 'pins', from: 5, to: 3 }]);
});

test('two pins for one place: the first one has it, the next one stands below', () => {
  const pins = ['c', 'd'].map((itemId) => ({ itemId, position: 2 }));
  const known = letters(4);
  const pinned = ({ itemId }: { itemId: string }) => known.find((one) => one.itemId === itemId);
  expect(ids(arranged(known, { pins }, { pinned }))).toBe('acdb');
});

test('whatever the rules, a list has no item twice, never more than n, and all of n where there are as many', () => {
  const names = fc.constantFrom('', 'x', 'y', 'z');
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), category: names, brand: names }),
      ),
      fc.integer({ min: 1, max: 30 }),
      fc.record({ lambda: fc.constantFrom(0, 0.5, 1), maxPerCategory: fc.constantFrom(1, 2, 0.3) }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (traits, n, diversity, factor) => {
        const ranked = traits
          .sort((a, b) => b.score - a.score)
          .map(({ score, ...rest }, at) => item(`i${at}`, score, rest));
        const rules = {
          diversity,
          boosts: [{ categories: ['x'], factor }],
          rotation: {},
          newItems: {},
          pins: [{ itemId: 'i0', position: 2 }],
        };
        const pinned = ({ itemId }: { itemId: string }) => ranked.find((one) => one.itemId === itemId);
        const list = arranged(ranked, rules, { n, newcomers: [item('new', 1)], pinned });
        const shown = list.map((entry) => entry.item.itemId);
        expect(new Set(shown).size).toBe(shown.length);
        expect(shown.length).toBeLessThanOrEqual(n);
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(n, ranked.length));
      },
    ),
  );
});
