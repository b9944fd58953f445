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

test('a young shop without a model answers its best sellers', async () => {
  const place = await sandbox();
  const own = { ...env, KEY_PREFIX: `${prefix}-young` };
  // By its id, what sells best would come last.
  const items = ['apples', 'bread', 'cheese', 'walnuts'];
  const rows = Array.from({ length: 60 }, (_, n) => {
    const itemId = n % 2 === 0 ? 'walnuts' : items[(n >> 1) % 3];
    const day = new Date(Date.now() - (n % 30) * 86_400_000).toISOString();
    return `${n % 10 === 0 ? '' : `c${n}`},o${n},${itemId},${itemId === 'cheese' ? 'dairy' : 'pantry'},${day}`;
  });
  const file = join(place.dataDir, 'orders.csv');
  await mkdir(place.dataDir, { recursive: true });
  await writeFile(file, ['customer,order,item,category,date', ...rows].join('\n'));
  const columns = ['customer', 'order', 'item', 'category', 'date'].flatMap((name) => [`--${name}`, name]);
  const imported = await place.run(['import', '--preset', 'generic', ...columns, file], own);
  expect({ exitCode: imported.exitCode, stderr: imported.exitCode === 0 ? '' : imported.stderr }).toEqual({
    exitCode: 0,
    stderr: '',
  });
  const { exitCode, stderr } = await place.run(['train', 'refresh-features', 'train-collaborative'], own);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/No model is served: .*recommendations go by what sells best.*churn risk is null/);

  const service = place.start(['serve'], own);
  const { url } = await service.line('url');
  const ask = async (query: string) => {
    const answer = (await (await fetch(`${url}/recommendations?n=3&${query}`)).json()) as {
      modelVersion: string | null;
      degradedBy: string[];
      items: { itemId: string; source: string; reasons: { code: string }[] }[];
    };
    expect(answer).toMatchObject({ modelVersion: null, degradedBy: ['no-model'] });
    return answer.items;
  };
  for (const query of [
    'scenario=popular',
    'scenario=home&customerId=nobody',
    'category=pantry&scenario=category',
  ])
    expect((await ask(query))[0]).toMatchObject({
      itemId: 'walnuts',
      source: 'popularity',
      reasons: [{ code: 'popular' }],
    });
  expect((await ask('category=dairy&scenario=category')).map(({ itemId }) => itemId)).toEqual(['cheese']);
  // Who has bought it sees something else; the customer's rhythm needs a model.
  expect((await ask('scenario=home&customerId=c2')).map(({ itemId }) => itemId)).not.toContain('walnuts');
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
