import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { drawBetaGeometric, drawSpend } from '../../support/customer-base.ts';
import { sandbox } from '../../support/nextbest.ts';

const { run, dataDir } = await sandbox();
await mkdir(dataDir, { recursive: true });

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dataDir, name);
  await writeFile(path, content);
  return path;
}

const truth = { r: 0.6, alpha: 6, a: 0.9, b: 2.5 };
const drawn = drawBetaGeometric(truth, 3000, createRng(31, 'clv'), { atFirst: false });
const { averageSpend } = drawSpend({ p: 6, q: 4, v: 15 }, 3000, createRng(32, 'clv'));
const rows = [...drawn.age.keys()].map(
  (row) =>
    `${row},${drawn.frequency[row]},${drawn.recency[row]},${drawn.age[row]},${drawn.frequency[row] === 0 ? 0 : 1 + (averageSpend[row] ?? 0)}`,
);

test('a summary, gzipped or not: a line of JSON a model', async () => {
  const path = await file('summary.txt', gzipSync(`ID,x,t_x,T,zbar\n${rows.join('\n')}\n`));
  const { stdout, exitCode } = await run(['evaluate', 'clv', '--summary', path]);
  expect(exitCode).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ model }) => model)).toEqual(['bg-nbd', 'mbg-nbd', 'pareto-nbd', 'gamma-gamma']);
  const [bgNbd] = lines;
  expect(Object.keys(bgNbd.parameters)).toEqual(['r', 'alpha', 'a', 'b']);
  for (const name of ['r', 'alpha', 'a', 'b'] as const)
    expect(Math.abs(bgNbd.parameters[name] - truth[name])).toBeLessThan(4 * bgNbd.standardErrors[name]);
  for (const { logLikelihood } of lines) expect(logLikelihood).toBeLessThan(0);
});

test('a log divided at a day: fitted before it, held to what came after', async () => {
  const first = Date.UTC(2026, 0, 1);
  const day = (n: number) => new Date(first + n * dayMs).toISOString().slice(0, 10);
  const rng = createRng(33, 'clv');
  const log = ['customer,date,amount'];
  for (let customer = 0; customer < 400; customer++) {
    const gap = 5 + 40 * rng.next();
    for (let at = rng.nextInt(60); at < 200; at += gap * rng.exponential())
      log.push(`c${customer},${day(Math.floor(at))},${(5 + 20 * rng.next()).toFixed(2)}`);
  }
  const path = await file('log.csv', log.join('\n'));
  const dates = ['--calibration-end', day(120), '--holdout-end', day(199)];
  const args = [
    'evaluate',
    'clv',
    '--transactions',
    path,
    ...dates,
    '--model',
    'mbg-nbd',
    '--model',
    'gamma-gamma',
  ];
  const { stdout } = await run(args);
  const [purchases, spend, ...others] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(others).toEqual([]);
  expect(purchases).toMatchObject({ model: 'mbg-nbd', customers: 400, holdoutCustomers: 400 });
  expect(purchases.holdoutCorrelation).toBeGreaterThan(0.5);
  expect(purchases.mae).toBeGreaterThan(0);
  expect(spend.model).toBe('gamma-gamma');
  // Times in days instead of weeks: α is a time, the others are not.
  const inDays = JSON.parse((await run([...args.slice(0, -2), '--unit', 'day'])).stdout);
  expect(inDays.parameters.alpha / purchases.parameters.alpha).toBeCloseTo(7, 3);
  expect(inDays.parameters.r).toBeCloseTo(purchases.parameters.r, 3);
});

test('wrong usage says what to do', async () => {
  const path = await file('log.csv', 'customer,date\na,2026-01-01\na,2026-02-01\n');
  const usage = async (...args: string[]) => {
    const { exitCode, stderr } = await run(['evaluate', 'clv', ...args]);
    expect(exitCode).toBe(2);
    return stderr;
  };
  expect(await usage()).toContain('--summary, --transactions or both');
  expect(await usage('--transactions', path)).toContain('--calibration-end is missing');
  expect(await usage('--transactions', path, '--calibration-end', '1.1.2026')).toContain(
    'takes a day such as',
  );
  expect(await usage('--summary', path, '--model', 'pareto')).toContain('models are bg-nbd');
  const dates = ['--calibration-end', '2026-01-20', '--holdout-end', '2026-02-20'];
  expect(await usage('--transactions', path, ...dates, '--model', 'gamma-gamma')).toContain(
    'needs what customers spent',
  );
});
