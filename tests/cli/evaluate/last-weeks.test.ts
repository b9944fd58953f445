/** `evaluate ranking --protocol last-weeks` and `tune`, on the lake of a simulated shop. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openLake } from '../../../src/history/lake.ts';
import { sandbox } from '../../support/nextbest.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const place = await sandbox();
const end = '2026-05-31';

beforeAll(async () => {
  const lake = await openLake(place.dataDir);
  await writeSimulatedEvents(lake, { customers: 250, items: 60, days: 240, seed: 5, end });
  lake.close();
});

const evaluate = async (...flags: string[]) => {
  const { exitCode, stdout, stderr } = await place.run([
    ...['evaluate', 'ranking', '--protocol', 'last-weeks', '--cutoff', '2026-06-01', '--json', ...flags],
  ]);
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { exitCode, stderr, lines };
};

test('every source, their fusion and the ranker have a line with intervals, and the best source one against the ranker', async () => {
  const { exitCode, stderr, lines } = await evaluate();
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('ease: fitted');
  expect(lines.map(({ model, minus }) => (minus ? `${model} − best` : model))).toEqual([
    ...['ials', 'ease', 'neighbours', 'complements', 'customers', 'habit', 'buyAgain', 'popularity'],
    ...['fused', 'ranker', 'ranker − best'],
  ]);
  const [difference] = lines.slice(-1);
  const lineOf = (model: string) => lines.find((line) => line.model === model && line.minus === undefined);
  for (const { lower, ndcgAt10, upper } of lines) {
    expect(lower.ndcgAt10).toBeLessThanOrEqual(ndcgAt10);
    expect(upper.ndcgAt10).toBeGreaterThanOrEqual(ndcgAt10);
  }
  expect(lineOf('ranker').ndcgAt10).toBeGreaterThan(lineOf('popularity').ndcgAt10);
  expect(difference.ndcgAt10).toBeCloseTo(lineOf('ranker').ndcgAt10 - lineOf(difference.minus).ndcgAt10, 9);
  expect(difference.ndcgAt10).toBe(lineOf(difference.minus).rankerAhead.ndcgAt10);
});

test('tune keeps what it finds in DATA_DIR, for trainings and evaluations of what it has not seen', async () => {
  const tune = (budget: string) =>
    place.run([
      ...['tune', '--cutoff', '2026-06-01', '--test-days', '28', '--budget-seconds', budget, '--json'],
    ]);
  const first = await tune('1');
  expect(first.exitCode, first.stderr).toBe(0);
  const found = JSON.parse(first.stdout);
  expect(found).toMatchObject({ model: 'collaborative', path: expect.stringContaining(place.dataDir) });
  expect(JSON.parse(await readFile(found.path, 'utf8'))).toEqual({ collaborative: found.params });
  expect((await readdir(join(place.dataDir, 'tuning'))).sort()).toEqual([
    expect.stringMatching(/^collaborative-\d{13}\.json$/),
    expect.stringMatching(/^collaborative-\d{13}\.json\.trials\.json$/),
  ]);
  expect((await tune('1')).stderr).toContain(`goes on after ${found.trials} trials`);

  expect((await evaluate()).stderr).toContain('settings: tuned');
  // A test that begins before the end of what the search saw would be judged by settings that knew it.
  expect((await evaluate('--test-days', '40')).stderr).toContain('settings: validation');
});

test('flags of the other kind are refused, and a log that is too short is told of', async () => {
  const wrong = await evaluate('--train', 'x');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('does not take --train')]);
  const days = await place.run(['tune', '--protocol', 'full-ranking', '--test-days', '7']);
  expect([days.exitCode, days.stderr]).toEqual([2, expect.stringContaining('does not take --test-days')]);
  const early = await evaluate('--cutoff', '2020-01-01');
  expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('Nothing can be evaluated')]);
});
