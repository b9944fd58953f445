import { beforeAll, expect, test } from 'vitest';
import { openLake } from '../../src/history/lake.ts';
import { Retention } from '../../src/insights/retention.ts';
import { writeSmallShop } from '../insights/small-shop.ts';
import { sandbox } from '../support/nextbest.ts';

const place = await sandbox();
const march = ['insights', '--from', '2026-03-01', '--to', '2026-03-31'];

beforeAll(async () => {
  const lake = await openLake(place.dataDir);
  await writeSmallShop(lake);
  lake.close();
});

test('--json: one line with every figure', async () => {
  const { exitCode, stdout, stderr } = await place.run([...march, '--json']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { currency, ...told } = JSON.parse(stdout);
  const retention = Retention.parse(told);
  expect(currency).toBe('EUR');
  expect(retention.total.churnRate).toMatchObject({ customers: 3, value: 1 / 3 });
  expect(retention.groups.some(({ by }) => by === 'cohort')).toBe(false);
});

test('for people: a table of all customers and of each group, and the cohorts', async () => {
  const { exitCode, stdout, stderr } = await place.run([...march, '--by', 'loyalty']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
  const row = (name: string) => rows.find(([first]) => first === name);
  expect(row('all')?.slice(0, 6)).toEqual([
    'all',
    '5',
    '3',
    '€66.00',
    '33.3 % (6.1 % … 79.2 %)',
    '33.3 % (6.1 % … 79.2 %)',
  ]);
  expect(row('member')?.slice(0, 3)).toEqual(['member', '2', '2']);
  expect(row('2026-03')).toEqual(['2026-03', '1', '100.0 %']);
  expect(rows.find(([first]) => first === 'by tier')).toBeUndefined();
});

test.each([
  [['--by', 'shoe-size'], '"shoe-size" is not among channel, tier'],
  [
    ['retention'],
    'takes no "retention": by itself it prints all of retention, churn and value; --by, --from and --to',
  ],
  [['--to', '9999-12-31'], 'must be a day from 1900-01-01 to 2999-12-31'],
  [['--from', '2026-02-30'], 'must be a day such as 2026-03-31'],
  [['--to', '0000-01-01'], 'must be a day from 1900-01-01 to 2999-12-31'],
  [['--from', '2026-04-01', '--to', '2026-03-31'], '--from must not come after to, which is 2026-03-31.'],
])('wrong usage says what would be right: %s', async (flags, message) => {
  const { exitCode, stderr } = await place.run(['insights', ...flags]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
