import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { holdOutFull } from '../../../src/evaluation/pairs/hold-out.ts';
import { tasteMatrix, temporaryFiles } from '../../evaluation/support.ts';
import { sandbox } from '../../support/nextbest.ts';

const place = await sandbox();
const write = await temporaryFiles();

/** Users with tastes, a fifth of their items held out: as columns, gzipped, and as lists. */
async function pairFiles(): Promise<{ train: string; test: string }> {
  const split = holdOutFull({ userItems: tasteMatrix(300, 90, 6, 5) }, 1);
  const rows = (lines: (user: number, items: Int32Array) => string) => (matrix: typeof split.test) =>
    Array.from({ length: matrix.rows }, (_, u) =>
      lines(u, matrix.indices.subarray(matrix.indptr[u]!, matrix.indptr[u + 1]!)),
    ).join('');
  const columns = rows((user, items) => [...items].map((item) => `u${user}\ti${item}\n`).join(''));
  const lists = rows((user, items) =>
    items.length === 0 ? '' : `u${user} ${[...items].map((i) => `i${i}`).join(' ')}\n`,
  );
  return {
    train: await write('train', gzipSync(`user\titem\n${columns(split.train.userItems)}`)),
    test: await write('test', lists(split.test)),
  };
}

const lines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('every model that fits the protocol has a line with its figures', async () => {
  const { train, test: testFile } = await pairFiles();
  const { exitCode, stdout, stderr } = await place.run([
    ...['evaluate', 'ranking', '--protocol', 'full-ranking', '--train', train, '--test', testFile, '--json'],
  ]);
  expect(exitCode, stderr).toBe(0);
  const found = lines(stdout);
  expect(found.map(({ model }) => model)).toEqual([
    ...['popularity', 'item-knn', 'rp3beta', 'low-pass', 'ease', 'ials', 'blend'],
  ]);
  for (const line of found)
    expect(Object.keys(line)).toEqual(['model', 'recallAt20', 'ndcgAt20', 'fitSeconds']);
  const ndcg = Object.fromEntries(found.map(({ model, ndcgAt20 }) => [model, Number(ndcgAt20)]));
  expect(ndcg.blend).toBeGreaterThan(ndcg.popularity!);
});

test('tune writes what evaluate reads, and goes on where it was', async () => {
  const { train, test: testFile } = await pairFiles();
  const out = join(place.dataDir, '..', 'params.json');
  const tune = (budget: string) =>
    place.run([
      ...['tune', '--protocol', 'full-ranking', '--train', train, '--model', 'ease', '--model', 'item-knn'],
      ...['--budget-seconds', budget, '--out', out, '--json'],
    ]);
  const first = await tune('1');
  expect(first.exitCode, first.stderr).toBe(0);
  const tuned = lines(first.stdout);
  expect(tuned.map(({ model }) => model)).toEqual(['item-knn', 'ease']);
  const params = JSON.parse(await readFile(out, 'utf8'));
  expect(params).toEqual(Object.fromEntries(tuned.map(({ model, params }) => [model, params])));

  const second = await tune('2');
  expect(second.stderr).toContain(`ease: goes on after ${tuned[1]?.trials} trials`);
  expect(Number(lines(second.stdout)[1]?.trials)).toBeGreaterThanOrEqual(Number(tuned[1]?.trials));
  expect(Number(lines(second.stdout)[1]?.quality)).toBeGreaterThanOrEqual(Number(tuned[1]?.quality));

  const measured = await place.run([
    ...['evaluate', 'ranking', '--protocol', 'full-ranking', '--train', train, '--test', testFile],
    ...['--model', 'ease', '--params', out, '--json'],
  ]);
  expect(lines(measured.stdout)).toMatchObject([{ model: 'ease' }]);
});

test('baskets and sampled negatives, on files of their own', async () => {
  const rng = createRng(1, 'baskets');
  const basket = (u: number) => Array.from({ length: 3 }, () => (u % 5) * 4 + rng.nextInt(6));
  const users = Array.from({ length: 60 }, (_, u) => [u, [[-1], basket(u), basket(u), basket(u), [-1]]]);
  const history = await write('history.json', JSON.stringify(Object.fromEntries(users)));
  const future = await write(
    'future.json',
    JSON.stringify(Object.fromEntries(users.map(([u]) => [u, [basket(Number(u))]]))),
  );
  const baskets = await place.run([
    ...['evaluate', 'ranking', '--protocol', 'next-basket', '--history', history, '--future', future],
    ...['--model', 'global-top', '--model', 'personal-then-global'],
  ]);
  const [global, personal] = lines(baskets.stdout);
  expect(Object.keys(global ?? {})).toEqual(['model', 'recallAt10', 'ndcgAt10', 'phrAt10', 'fitSeconds']);
  expect(Number(personal?.ndcgAt10)).toBeGreaterThan(Number(global?.ndcgAt10));

  const { train, test: testFile } = await pairFiles();
  const sampled = await place.run([
    ...['evaluate', 'ranking', '--protocol', 'sampled-negatives', '--train', train, '--test', testFile],
    ...['--model', 'popularity'],
  ]);
  expect(Object.keys(lines(sampled.stdout)[0] ?? {})).toEqual(['model', 'hrAt10', 'ndcgAt10', 'fitSeconds']);
});

test('wrong flags, files and names end with 2 and a sentence', async () => {
  const { train, test: testFile } = await pairFiles();
  const evaluate = ['evaluate', 'ranking', '--protocol'];
  const runs: [string[], RegExp][] = [
    [[...evaluate, 'full-ranking', '--train', train], /full-ranking needs --train FILE --test FILE/],
    [[...evaluate, 'full-ranking', '--history', train], /does not take --history/],
    [[...evaluate, 'next-basket', '--history', train, '--future', testFile], /train, line 1: .*is expected/],
    [
      [...evaluate, 'full-ranking', '--train', train, '--test', testFile, '--model', 'x'],
      /no model x in this protocol; there are/,
    ],
    [
      [...evaluate, 'full-ranking', '--train', train, '--test', '/nowhere'],
      /nowhere cannot be read: there is no such file/,
    ],
    [
      [
        'tune',
        '--protocol',
        'full-ranking',
        '--train',
        train,
        '--model',
        'blend',
        '--out',
        `${train}.tuned.json`,
      ],
      /blend learns its weights/,
    ],
    [['tune', '--protocol', 'full-ranking', '--train', train], /--out FILE/],
  ];
  for (const [args, message] of runs) {
    const { exitCode, stdout, stderr } = await place.run(args);
    expect(stderr).toMatch(message);
    expect([exitCode, stdout]).toEqual([2, '']);
  }
});
