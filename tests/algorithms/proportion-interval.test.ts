import { expect, test } from 'vitest';
import {
  differenceInterval,
  normalInterval,
  npsInterval,
  wilsonInterval,
} from '../../src/algorithms/proportion-interval.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('Wilson: ten of ten are not certain; (1 + z²/20 ± z √(z²/400)) / (1 + z²/10)', () => {
  const { low, high } = wilsonInterval(10, 10)!;
  expect(low).toBeCloseTo(1 / (1 + 3.841459 / 10), 6);
  expect(high).toBe(1);
  expect(wilsonInterval(0, 37)!.low).toBe(0);
  expect(wilsonInterval(0, 0)).toBeNull();
});

test('a mean: 10 ± 1.96 · 4 / √16', () => {
  const { low, high } = normalInterval(10, 4, 16)!;
  expect([low, high].map((x) => Number(x.toFixed(4)))).toEqual([8.04, 11.96]);
  expect(normalInterval(10, 0, 1)).toBeNull();
});

test('NPS of 5 promoters, 2 detractors of 9: 100 (p − d ± z √((p + d − (p − d)²) / 12)), p = 5.75/12, d = 2.75/12', () => {
  const { low, high } = npsInterval(5, 2, 9)!;
  const half = 1.959964 * Math.sqrt((8.5 / 12 - (3 / 12) ** 2) / 12);
  expect(low).toBeCloseTo(100 * (3 / 12 - half), 3);
  expect(high).toBeCloseTo(100 * (3 / 12 + half), 3);
  // Few who all agree are not certain, and their score is within its interval.
  expect(npsInterval(4, 0, 4)!.low).toBeLessThan(50);
  expect(npsInterval(4, 0, 4)!.high).toBe(100);
});

test('the difference of 56 of 70 and 48 of 80 is .2, from .0524 to .3339 (Newcombe 1998, table II)', () => {
  const { low, high } = differenceInterval({ successes: 56, n: 70 }, { successes: 48, n: 80 })!;
  expect([low, high].map((x) => Number(x.toFixed(4)))).toEqual([0.0524, 0.3339]);
  expect(differenceInterval({ successes: 0, n: 0 }, { successes: 1, n: 2 })).toBeNull();
});

test('about 95 of 100 intervals hold the truth', () => {
  const rng = createRng(7, 'intervals');
  const covered = { wilson: 0, nps: 0 };
  const runs = 2000;
  for (let run = 0; run < runs; run++) {
    let successes = 0;
    let promoters = 0;
    let detractors = 0;
    for (let n = 0; n < 40; n++) {
      if (rng.chance(0.1)) successes++;
      const drawn = rng.next();
      if (drawn < 0.5) promoters++;
      else if (drawn < 0.7) detractors++;
    }
    const wilson = wilsonInterval(successes, 40)!;
    if (wilson.low <= 0.1 && 0.1 <= wilson.high) covered.wilson++;
    const nps = npsInterval(promoters, detractors, 40)!;
    if (nps.low <= 30 && 30 <= nps.high) covered.nps++;
  }
  for (const count of Object.values(covered)) {
    expect(count / runs).toBeGreaterThan(0.92);
    expect(count / runs).toBeLessThan(0.98);
  }
});
