import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DiverseItem, diversify } from '../../../src/serve/recommend/arrange-diversity.ts';

type Item = DiverseItem & { place: number };

/** As the definition has it: every item compared with every one above it. */
function plainly(items: readonly Item[], lambda: number, n: number): number[] {
  const best = items[0]?.score ?? 0;
  const cosine = (a: Item, b: Item) => {
    const dot = (x: Item, y: Item) => x.vector!.reduce((sum, value, f) => sum + value * y.vector![f]!, 0);
    const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
    return norms === 0 ? 0 : Math.max(0, dot(a, b) / norms);
  };
  const chosen: Item[] = [];
  const left = [...items];
  while (chosen.length < n && left.length > 0) {
    const values = left.map((item) => {
      const likeness = chosen.reduce((most, other) => Math.max(most, cosine(item, other)), 0);
      return lambda * (best > 0 ? item.score / best : 0) - (1 - lambda) * likeness;
    });
    const at = values.indexOf(Math.max(...values));
    chosen.push(...left.splice(at, 1));
  }
  return chosen.map(({ place }) => place);
}

test('maximal marginal relevance: what is spared of comparing changes nothing', () => {
  const small = fc.integer({ min: 0, max: 4 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ score: fc.integer({ min: 0, max: 20 }), x: small, y: small }), { maxLength: 25 }),
      fc.constantFrom(0, 0.3, 0.5, 0.9),
      fc.integer({ min: 1, max: 12 }),
      (drawn, lambda, n) => {
        const items = drawn
          .sort((a, b) => b.score - a.score)
          .map(
            ({ score, x, y }, place): Item => ({
              score,
              vector: Float32Array.of(x, y),
              category: '',
              brand: '',
              place,
            }),
          );
        const got = diversify(items, { lambda, strict: false }, n).map(({ place }) => place);
        expect(got).toEqual(plainly(items, lambda, n));
      },
    ),
  );
});
