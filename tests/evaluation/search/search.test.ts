import { expect, test } from 'vitest';
import { bestTrial, propose, type Trial } from '../../../src/evaluation/search/propose.ts';
import { search } from '../../../src/evaluation/search/search.ts';
import type { Params, SearchSpace } from '../../../src/evaluation/search/space.ts';

const space: SearchSpace = {
  rate: { kind: 'real', min: 1e-4, max: 1, log: true },
  size: { kind: 'integer', min: 1, max: 100 },
  way: { kind: 'choice', options: ['a', 'b', 'c'] },
};
const start = { rate: 0.5, size: 90, way: 'a', fixed: 7 };

/** Highest, 0, at rate .01, size 30, way b. */
const hill = ({ rate, size, way }: Params): number =>
  -((Math.log10(Number(rate)) + 2) ** 2) - ((Number(size) - 30) / 20) ** 2 - (way === 'b' ? 0 : 1);

/** A clock by which every trial takes one second. */
function secondsClock(): () => number {
  let now = 0;
  return () => {
    now += 500;
    return now - (now % 1000);
  };
}

const run = (options: Partial<Parameters<typeof search>[0]> = {}) =>
  search({
    space,
    start,
    evaluate: async (params) => hill(params),
    seed: 1,
    budgetSeconds: 60,
    clock: secondsClock(),
    ...options,
  });

test('it starts with the defaults, stays in the space, leaves what is not in it, and finds the hill', async () => {
  const { best, trials } = await run();
  expect(trials[0]?.params).toEqual(start);
  for (const { params } of trials) {
    expect(params.rate).toBeGreaterThanOrEqual(1e-4);
    expect(params.rate).toBeLessThanOrEqual(1);
    expect(Number.isInteger(params.size)).toBe(true);
    expect(params.fixed).toBe(7);
  }
  expect(best?.params.way).toBe('b');
  // The start's is −2.89 − 9 − 1.
  expect(best?.quality).toBeGreaterThan(-0.1);
});

test('no trial is made twice', async () => {
  const { trials } = await run();
  expect(new Set(trials.map(({ params }) => JSON.stringify(params))).size).toBe(trials.length);
});

test('taken up again after any trial, it goes on as if it had never stopped', async () => {
  const whole = await run({ budgetSeconds: 20 });
  const kept: Trial[][] = [];
  await run({ budgetSeconds: 9, onTrials: (trials) => void kept.push([...trials]) });
  expect(kept.length).toBeGreaterThan(5);
  const resumed = await run({ budgetSeconds: 20, trials: kept.at(-1)! });
  expect(resumed.trials.map(({ params }) => params)).toEqual(whole.trials.map(({ params }) => params));
});

test('a failed trial is kept with its fault, and the search goes on', async () => {
  const { best, trials } = await run({
    evaluate: async (params) => {
      if (params.way !== 'b') throw new Error('not this way');
      return hill(params);
    },
  });
  expect(trials[0]).toMatchObject({ quality: null, fault: 'not this way' });
  expect(best?.params.way).toBe('b');
});

test('a trial that is under way when the time is up is broken off', async () => {
  let calls = 0;
  const { trials } = await run({
    budgetSeconds: 0.05,
    clock: () => 0,
    evaluate: async (params, signal) => {
      if (calls++ === 0) return hill(params);
      await new Promise((done) => signal.addEventListener('abort', done));
      throw signal.reason;
    },
  });
  expect(trials).toHaveLength(1);
});

test('a budget of months, longer than a timer can be, does not end the search', async () => {
  const stop = new AbortController();
  let calls = 0;
  const endless = run({
    budgetSeconds: 3_000_000,
    clock: () => 0,
    signal: stop.signal,
    evaluate: async (params) => {
      await new Promise((done) => setTimeout(done, 5));
      if (++calls === 3) stop.abort(new Error('enough'));
      return hill(params);
    },
  });
  await expect(endless).rejects.toThrow('enough');
});

test('an empty space has one trial, and a small one ends when all has been tried', async () => {
  expect((await run({ space: {} })).trials).toHaveLength(1);
  const small = await run({ space: { way: { kind: 'choice', options: ['a', 'b'] } } });
  expect(small.trials.map(({ params }) => params.way)).toEqual(['a', 'b']);
  expect(bestTrial(small.trials)?.params.way).toBe('b');
});

test('what is tried next depends on the trials alone', () => {
  const trials = [{ params: start, quality: 1, seconds: 1 }];
  expect(propose(space, start, trials, 3)).toEqual(propose(space, start, trials, 3));
  expect(propose(space, start, trials, 3)).not.toEqual(propose(space, start, trials, 4));
});
