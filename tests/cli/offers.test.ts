import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { offersCommand, offersInFileMax, readOffers } from '../../src/cli/offers.ts';
import { readEntries } from '../../src/history/event-stream.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys, prefix, url } = testRedis();
const folder = await mkdtemp(join(tmpdir(), 'nextbest-offers-'));
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const ten = {
  offerId: 'ten',
  name: 'Ten off',
  benefit: { kind: 'percentOff', percent: 10 },
  channels: ['web'],
};
const five = { ...ten, offerId: 'five', name: 'Five off', benefit: { kind: 'percentOff', percent: 5 } };

let files = 0;
async function fileOf(lines: readonly unknown[], ending = '.ndjson'): Promise<string> {
  const path = join(folder, `${files++}${ending}`);
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  await writeFile(path, ending.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

/** Runs `nextbest --json offers …` in this process and answers the lines on stdout. */
async function run(...args: string[]): Promise<unknown[]> {
  vi.stubEnv('REDIS_URL', url);
  vi.stubEnv('KEY_PREFIX', prefix);
  vi.stubEnv('LOG_LEVEL', 'silent');
  const lines: unknown[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  const program = new Command('nextbest').option('--json').addCommand(offersCommand());
  await program.parseAsync(['--json', 'offers', ...args], { from: 'user' });
  return lines;
}

test('put saves the offers of a file, in Redis and in the log; list answers them by id as put reads them', async () => {
  const offerVersion = expect.stringMatching(/^[0-9a-f]{12}$/);
  const saved = ['ten', 'five'].map((offerId) => ({ offerId, offerVersion }));
  expect(await run('put', await fileOf([ten, '', five]))).toEqual([{ offers: 2, saved }]);
  const listed = await run('list');
  expect(listed).toMatchObject([five, ten]);
  const again = await run('put', await fileOf(listed));
  expect(again).toEqual([{ offers: 2, saved: [...saved].reverse() }]);
  expect(await run('list')).toEqual(listed);
  const kinds = (await readEntries(redis, keys, '0-0', 100)).map(({ entry }) => entry?.kind);
  expect(kinds).toEqual(['offer', 'offer', 'offer', 'offer']);
});

test('a compressed file is read as it is', async () => {
  const offers = await readOffers(await fileOf([ten, five], '.ndjson.gz'));
  expect(offers.map(({ offerId }) => offerId)).toEqual(['ten', 'five']);
});

test('a file may be a JSON array, as a request may; then faults are named by the offer, with the fields that there are', async () => {
  const both = await readOffers(await fileOf(JSON.stringify([ten, five], undefined, 2).split('\n'), '.json'));
  expect(both.map(({ offerId }) => offerId)).toEqual(['ten', 'five']);
  const wrong = [ten, { ...five, budget: { amount: 5000, currency: 'USD' } }];
  const refused = (text: string) => fileOf([text], '.json').then((file) => readOffers(file));
  await expect(refused(JSON.stringify(wrong))).rejects.toThrow(
    /offer 2: budget\.currency: is not known here; there are: amountMinor, count, period, pacing/,
  );
  await expect(refused(JSON.stringify([ten]).slice(0, -1))).rejects.toThrow(/the array: is not valid JSON/);
  await expect(refused(JSON.stringify(Array(offersInFileMax + 1).fill(ten)))).rejects.toThrow(/more than/);
});

test('every fault is named by its line, and nothing is taken', async () => {
  const file = await fileOf([
    ten,
    '{"offerId":',
    { ...ten, benefit: { kind: 'percentOff', percent: 0 }, channels: [] },
    { ...ten, eligibility: { all: [{ feature: 'shoeSize', gte: 40 }] } },
  ]);
  const before = await redis.hlen(keys.offers);
  const failure = await run('put', file).catch((err: Error) => err.message);
  expect(failure).toMatch(/line 2: is not valid JSON/);
  expect(failure).toMatch(/line 3: benefit\.percent: /);
  expect(failure).toMatch(/line 3: channels: /);
  expect(failure).toMatch(
    /line 4: eligibility\.all\[0\]\.feature: is not a feature; known are .*purchaseCount/,
  );
  expect(await redis.hlen(keys.offers)).toBe(before);
});

test.each([
  ['is not there', () => Promise.resolve(join(folder, 'missing.ndjson')), /cannot be read/],
  ['is not there, compressed', () => Promise.resolve(join(folder, 'missing.ndjson.gz')), /cannot be read/],
  [
    'is not what its name says',
    async () => {
      const path = join(folder, 'text.ndjson.gz');
      await writeFile(path, 'not compressed');
      return path;
    },
    /cannot be read/,
  ],
  ['has too many offers', () => fileOf(Array(offersInFileMax + 1).fill(ten)), /more than/],
])('a file that %s is refused in words', async (_, file, words) => {
  await expect(readOffers(await file())).rejects.toThrow(words);
});
