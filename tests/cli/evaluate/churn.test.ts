import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { sandbox } from '../../support/nextbest.ts';

const { run, dataDir } = await sandbox();
await mkdir(dataDir, { recursive: true });
const first = Date.UTC(2026, 0, 1);
const day = (n: number) => new Date(first + n * dayMs).toISOString().slice(0, 10);
const rng = createRng(41, 'churn');
const rows = ['customer,date,amount'];
for (let customer = 0; customer < 300; customer++) {
  const gap = 5 + 40 * rng.next();
  const leaves = rng.next() < 0.5 ? 80 + 120 * rng.next() : 400;
  for (let at = rng.nextInt(60); at < Math.min(leaves, 240); at += gap * rng.exponential())
    rows.push(`c${customer},${day(Math.floor(at))},${(5 + 20 * rng.next()).toFixed(2)}`);
}
const path = join(dataDir, 'log.csv.gz');
await writeFile(path, gzipSync(rows.join('\n')));
const args = ['evaluate', 'churn', '--transactions', path, '--customer', 'customer', '--date', 'date'];

test('a line of JSON a model, on a gzipped log', async () => {
  const { stdout, stderr, exitCode } = await run([
    ...args,
    '--amount',
    'amount',
    '--calibration-end',
    day(179),
    '--horizon-days',
    '90',
  ]);
  expect(exitCode).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ model }) => model)).toEqual([
    'network',
    'mbg-nbd',
    'pareto-nbd',
    'logistic',
    'recency',
    'base-rate',
  ]);
  for (const line of lines)
    expect(Object.keys(line)).toEqual(['model', 'auc', 'prAuc', 'brier', 'logLoss', 'ece', 'liftTopDecile']);
  expect(lines[0].auc).toBeGreaterThan(0.7);
  // The log has 240 days: 60 of the 90.
  expect(stderr).toContain('before the horizon does');
});

test.each([
  [
    'a day that is none',
    ['--calibration-end', 'soon', '--horizon-days', '30'],
    '--calibration-end takes a day',
  ],
  ['a horizon of nothing', ['--calibration-end', day(99), '--horizon-days', '0'], '--horizon-days'],
  ['no past', ['--calibration-end', day(0), '--horizon-days', '30'], 'too little before'],
  ['no future', ['--calibration-end', day(900), '--horizon-days', '30'], 'nothing comes after'],
])('%s is wrong usage, with the cure', async (_, flags, words) => {
  const { stderr, exitCode } = await run([...args, ...flags]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(words);
});

test('a log of one customer is wrong usage, with what it takes', async () => {
  const file = join(dataDir, 'one.csv');
  const days = Array.from({ length: 26 }, (_, n) => `ann,${day(14 * n)}`);
  await writeFile(file, ['customer,date', ...days].join('\n'));
  const question = ['--calibration-end', day(250), '--horizon-days', '60'];
  const { stderr, exitCode } = await run(['evaluate', 'churn', '--transactions', file, ...question]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('1 customer to learn from');
  expect(stderr).toContain('at least 4');
});
