/** `nextbest offers batch` as somebody of the marketing runs it: a file of ids, a file of offers, no worker but its own. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';
import { testRedis } from '../support/redis.ts';

const { url, prefix } = testRedis();
const box = await sandbox();
const env = { REDIS_URL: url, KEY_PREFIX: prefix };
let folder: string;

beforeAll(async () => {
  folder = join(box.dataDir, '..');
  const offer = {
    offerId: 'five',
    name: 'Five',
    benefit: { kind: 'amountOff', amountMinor: 50 },
    channels: ['web'],
  };
  const news = {
    offerId: 'news',
    name: 'News',
    benefit: { kind: 'content' },
    channels: ['web'],
    fallback: true,
  };
  await writeFile(join(folder, 'offers.ndjson'), [offer, news].map((one) => JSON.stringify(one)).join('\n'));
  await writeFile(join(folder, 'ids.txt'), 'anna\nbert\n\n=cmd\nanna\n');
  expect((await box.run(['offers', 'put', join(folder, 'offers.ndjson')], env)).exitCode).toBe(0);
});

test('ids from a file, the list as CSV: each customer once, nothing that a spreadsheet would run', async () => {
  const out = join(folder, 'list.csv');
  const flags = [
    '--campaign=spring',
    '--channel=web',
    `--ids=${join(folder, 'ids.txt')}`,
    '--format=csv',
    `--out=${out}`,
  ];
  const { exitCode, stdout, stderr } = await box.run(['offers', 'batch', ...flags, '--json'], env);
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ customers: 3, decided: 3, out });
  const rows = (await readFile(out, 'utf8')).trim().split('\r\n');
  expect(rows[0]).toMatch(/^customerId,decisionId,offerId,/);
  expect(rows.slice(1).map((row) => row.split(',')[0])).toEqual(["'=cmd", 'anna', 'bert']);
});

test('a list that is under way is looked at, cancelled, and gone on with: each customer once', async () => {
  const ids = Array.from({ length: 6000 }, (_, i) => `customer-${i}`);
  await writeFile(join(folder, 'many.txt'), ids.join('\n'));
  const jobOf = async (args: string[]) => {
    const { exitCode, stdout, stderr } = await box.run(['offers', 'batch', ...args, '--json'], env);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const asking = box.start(
    ['offers', 'batch', '--campaign=long', '--channel=web', `--ids=${join(folder, 'many.txt')}`],
    env,
  );
  const jobId = await eventually(() => {
    const [id] = /batch-[0-9a-f]{16}/.exec(asking.stderr()) ?? [];
    expect(id).toBeDefined();
    return id ?? '';
  });
  expect((await jobOf(['status', jobId])).state).not.toBe('cancelled');
  await jobOf(['cancel', jobId]);
  expect(await asking.ended).toBe(1);
  expect(asking.stderr()).toContain(`offers batch resume ${jobId}`);
  const stopped = await jobOf(['status', jobId]);
  expect(stopped.state).toBe('cancelled');
  expect(stopped.decided).toBeLessThan(ids.length);

  const out = join(folder, 'many.ndjson');
  expect(await jobOf(['resume', jobId, '--out', out])).toMatchObject({
    state: 'completed',
    decided: 6000,
    out,
  });
  const lines = (await readFile(out, 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).customerId).sort()).toEqual([...ids].sort());
  const unknown = await box.run(['offers', 'batch', 'status', 'batch-0000000000000000'], env);
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('There is no list') });
});

test('a segment that nobody is in is told of', async () => {
  const { exitCode, stdout, stderr } = await box.run(
    ['offers', 'batch', '--campaign=slip', '--segment=nroth', '--json'],
    env,
  );
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('Nobody is in the segment "nroth".');
  expect(JSON.parse(stdout).warnings).toEqual([expect.stringContaining('Nobody is in the segment')]);
});

test('a list in which nobody has consented says so, to people and in its status', async () => {
  const offer = { offerId: 'mail', name: 'Mail', benefit: { kind: 'content' }, channels: ['email'] };
  await writeFile(join(folder, 'mail.ndjson'), JSON.stringify(offer));
  expect((await box.run(['offers', 'put', join(folder, 'mail.ndjson')], env)).exitCode).toBe(0);
  const { exitCode, stdout, stderr } = await box.run(
    [
      'offers',
      'batch',
      '--campaign=silence',
      '--channel=email',
      `--ids=${join(folder, 'ids.txt')}`,
      '--json',
    ],
    env,
  );
  expect(exitCode, stderr).toBe(0);
  const warning = JSON.parse(stdout).warnings[0];
  expect(warning).toMatch(/any of the 3 customers, .*no-consent \(3\).*PUT \/customers/);
  expect(stderr.trim().split('\n').at(-1)).toBe(warning);
});

test('what is wrong is named, with exit code 2', async () => {
  const nobody = await box.run(['offers', 'batch', '--campaign=x'], env);
  expect(nobody.exitCode).toBe(2);
  expect(nobody.stderr).toMatch(/exactly one of --ids, --segment, --eligibility, --everybody/);
  const rule = '{"feature":"shoeSize","gt":1}';
  const unknown = await box.run(['offers', 'batch', '--campaign=x', `--eligibility=${rule}`], env);
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toMatch(/--eligibility\.feature: is not a feature; known are/);
  const rfm = await box.run(['offers', 'batch', '--campaign=x', '--segment=champion'], env);
  expect(rfm.exitCode).toBe(2);
  expect(rfm.stderr).toMatch(
    /--segment: is the shop's own, and "champion" is an RFM segment: .*"score":"rfmSegment"/,
  );
  const missing = await box.run(['offers', 'batch', '--campaign=x', '--ids=/nowhere'], env);
  expect(missing.stderr).toMatch(/\/nowhere cannot be read: there is no such file/);
});
