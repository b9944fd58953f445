import { expect, test } from 'vitest';
import { BoostedTreesOptions } from '../../../src/algorithms/boosted-trees/boosted-trees.ts';
import { basketShares } from '../../../src/algorithms/next-basket/basket-log.ts';
import { CANDIDATE_FEATURES, createCandidates } from '../../../src/algorithms/next-basket/candidates.ts';
import { fitRepeatBlend, scoreRepeatBlend } from '../../../src/algorithms/next-basket/repeat-blend.ts';
import { createTifuKnn } from '../../../src/algorithms/next-basket/tifu-knn.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { topK } from '../../../src/algorithms/top-k.ts';
import { logOf, simulatedBaskets } from './support.ts';

const options = {
  perSource: 10,
  neighbours: 20,
  basketDecay: 0.9,
  teachers: 1000,
  missShare: 1,
  trees: BoostedTreesOptions.parse({ trees: 40, minHessian: 1, l2: 1 }),
};
type Log = ReturnType<typeof logOf>;

async function scoresOf(log: Log, user: number): Promise<Float32Array> {
  const blend = await fitRepeatBlend(log, options, createRng(1, 'blend'));
  const out = new Float32Array(log.items);
  scoreRepeatBlend(blend, basketShares(log), user, out);
  return out;
}

test('a user’s staples come first, then the taste’s, and every item has its place', async () => {
  const { history, last } = simulatedBaskets(800, 3, 1);
  const blend = await fitRepeatBlend(history, options, createRng(1, 'blend'));
  const share = basketShares(history);
  const out = new Float32Array(history.items);
  let staplesFirst = 0;
  for (let u = 0; u < history.users; u++) {
    scoreRepeatBlend(blend, share, u, out);
    expect(out.every(Number.isFinite)).toBe(true);
    const list = [...topK(out, 10).indices];
    const staples = [...last[u]!].slice(0, 2);
    if (list.slice(0, 2).every((i) => staples.includes(i))) staplesFirst++;
    expect(new Set(list.map((i) => Math.floor(i / 10)))).toEqual(new Set([u % 3]));
  }
  // After three baskets another item may look like a staple.
  expect(staplesFirst).toBeGreaterThan(0.9 * history.users);
});

test('finds at least as much of the last basket as TIFU-KNN', async () => {
  const { history, last } = simulatedBaskets(300, 4, 2);
  const blend = await fitRepeatBlend(history, options, createRng(1, 'blend'));
  const tifu = createTifuKnn(history, {
    withinDecay: 0.9,
    groupDecay: 0.7,
    groupSize: 3,
    neighbours: 20,
    ownWeight: 0.5,
  });
  const share = basketShares(history);
  const hits = { blend: 0, tifu: 0 };
  const out = new Float32Array(history.items);
  const count = (u: number) => topK(out, 4).indices.reduce((sum, i) => sum + (last[u]!.has(i) ? 1 : 0), 0);
  for (let u = 0; u < history.users; u++) {
    scoreRepeatBlend(blend, share, u, out);
    hits.blend += count(u);
    out.fill(0);
    tifu(u, 1, out);
    hits.tifu += count(u);
  }
  expect(hits.blend).toBeGreaterThanOrEqual(0.98 * hits.tifu);
});

test('where nobody has two baskets, the plain sources rank', async () => {
  const log = logOf(4, [[[2]], [[2, 1]], [[3]], []]);
  // Own first, then what the user shares with others, then what sells.
  const order = [...topK(await scoresOf(log, 0), 4).indices];
  expect(order.slice(0, 2)).toEqual([2, 1]);
  expect(topK(await scoresOf(log, 3), 1).indices[0]).toBe(2);
});

test('a candidate’s row holds what the log says', () => {
  const log = logOf(4, [[[0], [0, 1], [2]], [[0, 3]]]);
  const find = createCandidates(log, options);
  find(1);
  const { item, values, size } = find(0);
  expect([...item.subarray(0, size)].sort()).toEqual([0, 1, 2, 3]);
  const featureOf = (i: number, name: (typeof CANDIDATE_FEATURES)[number]) =>
    values[item.indexOf(i) * CANDIDATE_FEATURES.length + CANDIDATE_FEATURES.indexOf(name)];
  expect(featureOf(0, 'count')).toBe(2);
  expect(featureOf(0, 'age')).toBe(1);
  expect(featureOf(0, 'firstAge')).toBe(2);
  // Two baskets after the last purchase, at a usual gap of one.
  expect(featureOf(0, 'gapRatio')).toBe(2);
  expect(featureOf(3, 'count')).toBe(0);
  expect(featureOf(3, 'neighbourRank')).toBe(2);
  expect(featureOf(2, 'ownRecentFrequency')).toBe(1);
  expect(featureOf(0, 'baskets')).toBe(3);
});

test('a fit that nobody waits for any more is ended', async () => {
  const { history } = simulatedBaskets(20, 2, 3);
  const stop = () => {
    throw new Error('enough');
  };
  await expect(fitRepeatBlend(history, options, createRng(1, 'blend'), stop)).rejects.toThrow('enough');
});
