import { describe, expect, test } from 'vitest';
import { createRng, cumulativeWeights, type Rng, shuffle } from '../../src/algorithms/rng.ts';

const draws = 200_000;

function moments(draw: () => number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws; i++) {
    const x = draw();
    sum += x;
    squares += x * x;
  }
  const mean = sum / draws;
  return { mean, variance: squares / draws - mean * mean };
}

/** Five standard errors of a sample mean: a right generator fails this once in 1.7 million seeds, and seeds are fixed. */
const fiveErrors = (variance: number) => 5 * Math.sqrt(variance / draws);

const first = (rng: Rng, n = 8) => Array.from({ length: n }, () => rng.next());

describe('streams', () => {
  test('the same seeds give the same stream', () => {
    expect(first(createRng(7, 'customer', 3))).toEqual(first(createRng(7, 'customer', 3)));
  });

  test('a stream is pinned: other machines and later versions must draw the same', () => {
    const rng = createRng(1, 'pinned');
    expect(first(rng, 4).map((x) => Math.round(x * 2 ** 32))).toMatchInlineSnapshot(`
      [
        2541684789,
        529055948,
        4015623486,
        3206956138,
      ]
    `);
  });

  test('order, type and grouping of the seeds count', () => {
    const streams = [
      createRng(),
      createRng(0),
      createRng(0, 0),
      createRng(12),
      createRng(1, 2),
      createRng(2, 1),
      createRng('1', 2),
      createRng('12'),
      createRng('a', 'bc'),
      createRng('ab', 'c'),
      createRng(0.5),
      createRng(2 ** 40),
    ];
    expect(new Set(streams.map((rng) => first(rng, 2).join())).size).toBe(streams.length);
  });

  test('-0 is the same seed as 0', () => {
    expect(first(createRng(-0))).toEqual(first(createRng(0)));
  });

  test('a seed that is no number throws', () => {
    expect(() => createRng(Number.NaN)).toThrow(RangeError);
    expect(() => createRng(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });

  test('neighbouring seeds are independent: their first draws are uniform and uncorrelated', () => {
    const firsts = Array.from({ length: 20_000 }, (_, i) => createRng(42, 'customer', i).next());
    const mean = firsts.reduce((sum, x) => sum + x, 0) / firsts.length;
    let covariance = 0;
    for (let i = 1; i < firsts.length; i++) covariance += (firsts[i]! - 0.5) * (firsts[i - 1]! - 0.5);
    const correlation = covariance / (firsts.length - 1) / (1 / 12);
    // Standard errors: √(1/12 / 20,000) = 0.00204 and 1 / √20,000 = 0.0071.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * 0.00204);
    expect(Math.abs(correlation)).toBeLessThan(5 * 0.0071);
  });
});

describe('distributions', () => {
  test('next is uniform in [0, 1): mean 1/2, variance 1/12, sixteen even bins', () => {
    const rng = createRng(1, 'next');
    const bins = new Array<number>(16).fill(0);
    let outside = 0;
    const { mean, variance } = moments(() => {
      const x = rng.next();
      if (x < 0 || x >= 1) outside++;
      bins[Math.floor(x * 16)]!++;
      return x;
    });
    expect(outside).toBe(0);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(fiveErrors(1 / 12));
    expect(variance).toBeCloseTo(1 / 12, 2);
    const expected = draws / 16;
    const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: 44.3 is exceeded once in 10,000.
    expect(chiSquare).toBeLessThan(44.3);
  });

  test('nextInt reaches every number below n, evenly, and no other', () => {
    const rng = createRng(1, 'nextInt');
    const counts = new Map<number, number>();
    for (let i = 0; i < 60_000; i++) {
      const drawn = rng.nextInt(6);
      counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    // Each is binomial(60,000, 1/6): mean 10,000, standard deviation √(60,000 · 5/36) = 91.
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 91);
  });

  test.each([0, -1, 1.5, 2 ** 33, Number.NaN])('nextInt refuses %s', (n) => {
    expect(() => createRng(1).nextInt(n)).toThrow(RangeError);
  });

  test('chance is true with its probability', () => {
    const rng = createRng(1, 'chance');
    const { mean } = moments(() => (rng.chance(0.3) ? 1 : 0));
    expect(Math.abs(mean - 0.3)).toBeLessThan(fiveErrors(0.3 * 0.7));
    expect(createRng(2).chance(0)).toBe(false);
    expect(createRng(2).chance(1)).toBe(true);
  });

  test('normal has mean 0, variance 1 and 4.55 % beyond two standard deviations', () => {
    const rng = createRng(1, 'normal');
    let beyond = 0;
    const { mean, variance } = moments(() => {
      const x = rng.normal();
      if (Math.abs(x) > 2) beyond++;
      return x;
    });
    expect(Math.abs(mean)).toBeLessThan(fiveErrors(1));
    // The variance of a squared normal is 2.
    expect(Math.abs(variance - 1)).toBeLessThan(fiveErrors(2));
    expect(Math.abs(beyond / draws - 0.0455)).toBeLessThan(fiveErrors(0.0455 * 0.9545));
  });

  test('exponential has mean 1 and variance 1', () => {
    const rng = createRng(1, 'exponential');
    const { mean, variance } = moments(() => rng.exponential());
    expect(Math.abs(mean - 1)).toBeLessThan(fiveErrors(1));
    expect(variance).toBeCloseTo(1, 1);
  });

  test.each([0.3, 1, 2.5, 40])('gamma(%s) has that mean and that variance', (shape) => {
    const rng = createRng(1, 'gamma', shape);
    const { mean, variance } = moments(() => rng.gamma(shape));
    expect(Math.abs(mean - shape)).toBeLessThan(fiveErrors(shape));
    // The fourth central moment of a gamma is 3k² + 6k, so the variance of its square deviation is 2k² + 6k.
    expect(Math.abs(variance - shape)).toBeLessThan(fiveErrors(2 * shape ** 2 + 6 * shape));
  });

  test.each([0, 0.2, 4, 10, 30, 500])('poisson(%s) has that mean and that variance', (mean) => {
    const rng = createRng(1, 'poisson', mean);
    let uncounted = 0;
    const drawn = moments(() => {
      const k = rng.poisson(mean);
      if (!Number.isInteger(k) || k < 0) uncounted++;
      return k;
    });
    expect(uncounted).toBe(0);
    expect(Math.abs(drawn.mean - mean)).toBeLessThanOrEqual(fiveErrors(mean));
    // The fourth central moment of a Poisson is 3m² + m.
    expect(Math.abs(drawn.variance - mean)).toBeLessThanOrEqual(fiveErrors(2 * mean ** 2 + mean));
  });

  test('poisson by rejection has the right probabilities: P(12) of mean 12 is 0.1144', () => {
    const rng = createRng(1, 'poisson-mass');
    const { mean } = moments(() => (rng.poisson(12) === 12 ? 1 : 0));
    // 12^12 e^-12 / 12! = 0.11437.
    expect(Math.abs(mean - 0.11437)).toBeLessThan(fiveErrors(0.11437 * 0.88563));
  });

  test('categorical draws by weight and never what weighs nothing', () => {
    const rng = createRng(1, 'categorical');
    const cumulative = cumulativeWeights([0, 1, 0, 3, 0]);
    expect([...cumulative]).toEqual([0, 1, 1, 4, 4]);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[rng.categorical(cumulative)]!++;
    expect(counts.filter((_, i) => i % 2 === 0)).toEqual([0, 0, 0]);
    // binomial(40,000, 3/4): standard deviation √(40,000 · 3/16) = 87.
    expect(Math.abs(counts[3]! - 30_000)).toBeLessThan(5 * 87);
  });

  test.each([
    ['gamma', () => createRng(1).gamma(0)],
    ['poisson', () => createRng(1).poisson(-1)],
    ['categorical without weights', () => createRng(1).categorical([])],
    ['categorical of zeros', () => createRng(1).categorical([0, 0])],
  ])('%s refuses what has no distribution', (_, draw) => {
    expect(draw).toThrow(RangeError);
  });

  test('shuffle keeps the elements and gives each of the 3! orders its sixth', () => {
    const rng = createRng(1, 'shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const order = shuffle(['a', 'b', 'c'], rng).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    // binomial(12,000, 1/6): mean 2,000, standard deviation 40.8.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(5 * 40.8);
  });
});
