import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { openLake } from '../../src/history/lake.ts';
import { Readout } from '../../src/insights/experiments/readout.ts';
import { experimentSplit } from '../../src/insights/experiments/split.ts';
import { writeBuyers } from '../insights/experiments/buyers.ts';
import { sandbox } from '../support/nextbest.ts';

const place = await sandbox();
const policy = {
  controlGroupShare: 0.1,
  experiments: [
    {
      name: 'spring',
      from: '2026-06-01T00:00:00Z',
      to: '2026-07-01T00:00:00Z',
      variants: [{ name: 'control' }, { name: 'response', weight: 2, ranking: 'response' }],
    },
  ],
};
const policyFile = join(place.dataDir, 'policy.json');
const run = (...args: string[]) => place.run(['experiments', ...args], { DECISION_POLICY_FILE: policyFile });

beforeAll(async () => {
  const lake = await openLake(place.dataDir);
  const parsed = DecisionPolicy.parse(policy);
  const [spring] = parsed.experiments;
  if (spring === undefined) throw new Error('no experiment');
  await writeBuyers(lake, experimentSplit(spring, parsed).groupOf, 5000, { 0: 0.3, 1: 0.4 });
  lake.close();
  await writeFile(policyFile, JSON.stringify(policy));
});

test('without a name: what experiments there are', async () => {
  const { exitCode, stdout: text, stderr } = await run();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(text).toBe(
    'spring: ended, from 2026-06-01T00:00:00Z to 2026-07-01T00:00:00Z, 100.0 % of the customers: control 1, response 2\n',
  );
  const { stdout } = await run('--json');
  expect(JSON.parse(stdout)).toMatchObject({ name: 'spring', state: 'ended', share: 1 });
});

test('with --json: one line that has everything', async () => {
  const { exitCode, stdout, stderr } = await run('spring', '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { currency, ...told } = JSON.parse(stdout);
  expect(currency).toBe('EUR');
  expect(Readout.parse(told).differences[0]?.repeatPurchaseRate.verdict).toBe('higher');
});

test('for people: groups, differences with intervals and verdicts, and what to heed', async () => {
  const { exitCode, stdout, stderr } = await run('spring');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
  const row = (name: string) => rows.find(([first]) => first === name);
  expect(row('response')?.[1]).toBe('66.7 %');
  expect(row('response − control')).toEqual(['response − control']);
  expect(row('repeat')?.[1]).toMatch(/^\+9\.7 \(\+\d\.\d … \+\d+\.\d\)$/);
  expect(row('repeat')?.[2]).toBe('higher');
  expect(row('CSAT')).toEqual(['CSAT', '–', 'too few customers']);
  expect(stdout).toContain('! Not enough data yet for intervals of csat, nps.');
});

test('the control group', async () => {
  const { exitCode, stdout } = await run(
    '--control-group',
    '--from',
    '2026-06-01',
    '--to',
    '2026-06-30',
    '--json',
  );
  expect(exitCode).toBe(0);
  expect(Readout.parse({ ...JSON.parse(stdout) }).groups.map(({ name }) => name)).toEqual([
    'without',
    'with',
  ]);
});

test.each([
  [['summer'], 'There is no experiment "summer". There are: spring.'],
  [['spring', '--control-group'], 'Give one of: a name, --control-group, --offer.'],
  [['spring', '--from', '2026-06-01'], 'an experiment has its own days'],
  [['--offer', 'tea'], 'The lake holds no offer "tea".'],
  [['--control-group', '--from', 'May'], 'must be a day such as 2026-03-31'],
])('wrong usage says what would be right: %s', async (args, message) => {
  const { exitCode, stderr } = await run(...args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
