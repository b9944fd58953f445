import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { DECISION_COLUMNS } from '../../../src/evaluation/offers/read-decisions.ts';
import { MAIL_ARMS, type MailWorld, mailCampaign } from '../../support/mail-campaign.ts';
import { sandbox } from '../../support/nextbest.ts';

const { run, dataDir } = await sandbox();
await mkdir(dataDir, { recursive: true });

const columns =
  'customerId,offerId,loggingPropensity,reward,recency,history,segment,mens,womens,zip,newbie,channel,visitedAt,shop';

function campaignFile(world: MailWorld, customers: number, isIn = (_arm: number) => true): string {
  const kept = mailCampaign(world, customers, 21).filter(({ arm }) => isIn(arm));
  const rows = kept.map((c, n) =>
    [
      ...[`c${n}`, c.arm === 0 ? '' : MAIL_ARMS[c.arm], 1 / 3, c.visit, c.recency, c.history, c.segment],
      ...[c.mens, c.womens, c.zip, c.newbie, c.channel, `2026-03-0${1 + (n % 7)}`, 'main'],
    ].join(','),
  );
  return [columns, ...rows].join('\n');
}

async function evaluate(name: string, text: string, ...flags: string[]) {
  const path = join(dataDir, name);
  await writeFile(path, text);
  const found = await run(['evaluate', 'offers', '--decisions', path, '--json', ...flags]);
  const lines = found.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { ...found, lines, policies: Object.fromEntries(lines.map((line) => [line.policy, line])) };
}

test('a line a policy; uplift ranks better than response where loyal customers are driven away', async () => {
  const { exitCode, lines, policies, stderr } = await evaluate(
    'mail.csv',
    campaignFile('persuadable', 40_000),
    '--seeds',
    '2',
  );
  expect(exitCode).toBe(0);
  expect(lines.map(({ policy }) => policy)).toEqual([
    'uplift',
    'response',
    'best-single',
    'random',
    'none',
    'logged',
  ]);
  for (const line of lines) {
    expect(Object.keys(line)).toEqual([
      'policy',
      'value',
      'lower',
      'upper',
      'estimator',
      'effectiveSampleSize',
      'upliftAt10',
      'upliftAt20',
      'upliftAt30',
      'qini',
    ]);
    expect(line.lower).toBeLessThan(line.value);
    expect(line.upper).toBeGreaterThan(line.value);
  }
  for (const at of ['upliftAt10', 'upliftAt20', 'upliftAt30'])
    expect(policies.uplift[at]).toBeGreaterThan(policies.response[at]);
  expect(policies.uplift.qini).toBeGreaterThan(policies.response.qini);
  // Who is ranked at random gets the mean, whatever the share.
  expect(policies.random.upliftAt10).toBeCloseTo(policies.random.upliftAt30, 9);
  expect(policies.none.upliftAt10).toBe(0);
  expect(policies.logged.upliftAt10).toBeNull();
  expect(policies.logged.estimator).toBe('mean');
  expect(stderr).not.toContain('1/loggingPropensity');
  // The log contacts at random: the value of random is that of the log.
  expect(policies.random.value).toBeGreaterThan(policies.logged.lower);
  expect(policies.random.value).toBeLessThan(policies.logged.upper);
  expect(stderr).toContain('Column visitedAt is left out: it is a time.');
  expect(stderr).toContain('Column shop is left out: it is constant.');
});

test('a log in which nobody was left alone: uplift is null, and said why', async () => {
  const { exitCode, policies, stderr } = await evaluate(
    'all-contacted.csv',
    campaignFile('same', 6000, (arm) => arm > 0),
    '--seeds',
    '1',
  );
  expect(exitCode).toBe(0);
  expect(policies.uplift.value).toBeGreaterThan(0.05);
  expect(policies.uplift.upliftAt10).toBeNull();
  expect(policies.none.value).toBeNull();
  expect(stderr).toContain('Nobody was left alone in this log');
});

test('probabilities that cannot be are warned of', async () => {
  const lines = campaignFile('same', 6000).split('\n');
  const column = lines[0]!.split(',').indexOf('loggingPropensity');
  const claimed = lines.map((line, n) =>
    n === 0 || line === '' ? line : line.split(',').with(column, '0.9').join(','),
  );
  const { stderr } = await evaluate('impossible.csv', claimed.join('\n'), '--seeds', '1');
  expect(stderr).toContain('The mean of 1/loggingPropensity is 1.11');
});

test('what happened after the contact, put as a context, is warned of', async () => {
  const text = campaignFile('same', 6000);
  const leaking = text
    .split('\n')
    .map((line, n) => (n === 0 ? `${line},opened` : `${line},${line.split(',')[1] === '' ? 0 : n % 3}`))
    .join('\n');
  const { stderr } = await evaluate('leak.csv', leaking, '--seeds', '1');
  expect(stderr).toContain('opened differs between those with and without contact');
  expect(stderr).not.toContain('recency differs');
});

test.each([
  ['a missing column', campaignFile('same', 200).replace('reward', 'money'), [], 'lacks reward'],
  ['too few customers', campaignFile('same', 60), [], 'at least 100 are needed'],
  ['nobody contacted', campaignFile('same', 600, (arm) => arm === 0), [], 'Nobody was contacted'],
  ['a map of an unknown column', 'x', ['--map', 'money=reward'], 'must be one of customerId'],
])('%s is wrong usage, with the cure', async (name, text, flags, words) => {
  const { exitCode, stderr } = await evaluate(`${name}.csv`, text, ...flags);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(words);
});

/** A log in which nothing depends on anything: by chance alone, some of its customers took what they were offered. */
function noise(customers: number, noContact: string, names: readonly string[]): string {
  const rng = createRng(5, 'noise');
  const arms = [noContact, 'a', 'b', 'c', 'd'];
  const rows = Array.from({ length: customers }, (_, n) => {
    const contexts = Array.from({ length: 12 }, () => rng.next().toFixed(4));
    const arm = arms[Math.floor(rng.next() * arms.length)];
    return [`c${n}`, arm, 1 / arms.length, rng.next() < 0.5 ? 1 : 0, ...contexts].join(',');
  });
  return [[...names, ...Array.from({ length: 12 }, (_, c) => `x${c}`)].join(','), ...rows].join('\n');
}

test('a policy is judged on customers whom it was not learnt from: of noise there is nothing to be had', async () => {
  const text = noise(1200, '', DECISION_COLUMNS);
  const { policies } = await evaluate('noise.csv', text, '--seeds', '8', '--estimator', 'direct');
  const { policies: weighed } = await evaluate('noise.csv', text, '--seeds', '8', '--estimator', 'ips');
  expect(policies.uplift.estimator).toBe('direct');
  expect(weighed.uplift.estimator).toBe('ips');
  // Whatever is done brings what the log brought; learnt and judged on the same customers it would be a fifteenth more.
  expect(weighed.uplift.value - weighed.logged.value).toBeLessThan(0.03);
  for (const at of ['upliftAt10', 'upliftAt20', 'upliftAt30']) expect(weighed.uplift[at]).toBeLessThan(0.05);
});

test('the Open Bandit columns are known by their preset', async () => {
  const text = noise(2000, 'e', ['row', 'item_id', 'propensity_score', 'click']);
  const { exitCode, policies } = await evaluate(
    'obd.csv',
    text,
    '--preset',
    'obd',
    '--ignore',
    'row',
    '--seeds',
    '1',
  );
  expect(exitCode).toBe(0);
  expect(policies.logged.lower).toBeLessThan(0.5);
  expect(policies.logged.upper).toBeGreaterThan(0.5);
  const unnamed = await evaluate('obd.csv', text, '--ignore', 'row');
  expect(unnamed.exitCode).toBe(2);
  expect(unnamed.stderr).toContain('customerId');
});

test("the service's own log is asked for by itself, and who has no offer model yet is told how to come by one", async () => {
  const both = await run(['evaluate', 'offers', '--lake', '--preset', 'obd']);
  expect(both.exitCode).toBe(2);
  expect(both.stderr).toContain('leave them out with --lake');
  const empty = await run(['evaluate', 'offers', '--lake']);
  expect(empty.exitCode).toBe(2);
  expect(empty.stderr).toContain('nextbest train offers makes one');
});
