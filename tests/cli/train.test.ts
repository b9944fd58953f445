import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sandbox } from '../support/nextbest.ts';
import { testRedis } from '../support/redis.ts';

const { url, prefix } = testRedis();
const env = { REDIS_URL: url, KEY_PREFIX: prefix };

function parsed(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('with no worker about it runs one itself; a young shop gets reasons, not a failure', async () => {
  const place = await sandbox();
  const { exitCode, stdout, stderr } = await place.run(['train', '--json'], env);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = parsed(stdout);
  expect(lines.map(({ job, state, published }) => [job, state, published])).toEqual([
    ['refresh-features', 'completed', undefined],
    ['train-collaborative', 'completed', false],
    ['train-churn', 'completed', false],
    ['train-customer-value', 'completed', false],
    ['train-offers', 'completed', false],
    ['score-customers', 'completed', undefined],
  ]);
  expect(lines[2]).toMatchObject({ reason: 'there are no purchases to learn from' });
  // Progress goes to stderr, results alone to stdout.
  expect(stderr).toContain('refresh-features-latest');
});

test('a job that fails for good ends the command with 1 and its reason', async () => {
  const place = await sandbox();
  await mkdir(join(place.dataDir, 'lake', 'events'), { recursive: true });
  await writeFile(join(place.dataDir, 'lake', 'events', 'import-damaged.parquet'), 'this is no Parquet file');
  const { exitCode, stdout } = await place.run(['train', 'train-churn', '--json'], {
    ...env,
    KEY_PREFIX: `${prefix}-damaged`,
  });
  expect(exitCode).toBe(1);
  expect(parsed(stdout)).toMatchObject([
    {
      job: 'train-churn',
      state: 'failed',
      attempts: 3,
      error: expect.stringContaining('import-damaged.parquet'),
    },
  ]);
});

test.each([
  [['train', 'train-everything'], 'There is no job "train-everything"'],
  [['train', '--cutoff', 'yesterday'], '--cutoff takes an ISO 8601 time'],
  [['train', '--sometime'], "unknown option '--sometime'"],
])('%j is wrong usage', async (args, message) => {
  const place = await sandbox();
  const { exitCode, stdout, stderr } = await place.run(args, env);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
});
