import { expect, test } from 'vitest';
import { stillAddressed } from '../../src/decide/still-addressed.ts';
import { BATCH_COLUMNS } from '../../src/domain/batch.ts';
import type { Channel } from '../../src/domain/channel.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { csvCell } from '../../src/infra/csv.ts';
import { neverErased } from '../../src/infra/tombstones.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const records = createRecordStore(redis, keys);
const createdAt = Date.UTC(2026, 10, 23);
const tombstones = {
  erasedAt: async (ids: readonly string[]) =>
    ids.map((id) => (id === 'erased' ? createdAt + 1 : id === 'born-again' ? createdAt - 1 : neverErased)),
};

/** As of now: `-odd,"id` is text that CSV quotes, behind an apostrophe. */
const odd = '-odd,"id';
for (const [n, [customerId, email]] of [
  ['stays', true],
  ['withdrew', false],
  ['erased', true],
  ['born-again', true],
  [odd, true],
].entries())
  await records.apply(String(customerId), [
    {
      event: {
        type: 'customerUpdated',
        customerId,
        eventId: `e${n}`,
        occurredAt: createdAt,
        channel: 'web',
        attributes: { consent: { email, app: email } },
      } as never,
      streamId: `${n + 1}-0`,
    },
  ]);
const all = ['stays', 'withdrew', 'nobody', 'erased', 'born-again', odd];

type Line = { customerId: string; contactable: boolean; reasonCode?: string; offers: unknown[] };

async function handedOut(
  pieces: string[],
  { channel = 'email' as Channel, format = 'ndjson' as 'ndjson' | 'csv', includeNothing = false } = {},
  from: Pick<typeof records, 'readManyEncoded'> = records,
): Promise<string> {
  async function* list() {
    yield* pieces;
  }
  let text = '';
  const asked = { about: { channel, format, includeNothing }, createdAt };
  for await (const piece of stillAddressed(list(), asked, { records: from, tombstones })) text += piece;
  return text;
}

function ndjson(ids: readonly string[], more: object = {}): string {
  const line = { decisionId: 'd', currency: 'EUR', fallback: false, contactable: true };
  return ids
    .map(
      (customerId) => `${JSON.stringify({ customerId, ...line, offers: [{ offerId: 'five' }], ...more })}\n`,
    )
    .join('');
}
const read = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const idsOf = (text: string) => read(text).map(({ customerId }) => customerId);

test('who was erased or has withdrawn since is left out, wherever the pieces of the list end', async () => {
  const text = ndjson(all);
  for (const size of [1, 50, text.length]) {
    const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
    expect(idsOf(await handedOut(pieces))).toEqual(['stays', 'born-again', odd]);
  }
});

test('with those who get nothing, who has withdrawn is listed with the reason and without an offer', async () => {
  const lines = read(await handedOut([ndjson(['stays', 'withdrew', 'erased'])], { includeNothing: true }));
  expect(lines).toMatchObject([
    { customerId: 'stays', contactable: true, offers: [{ offerId: 'five' }] },
    { customerId: 'withdrew', contactable: false, reasonCode: 'no-consent', offers: [] },
  ]);
});

test('where customers come by themselves, nobody needs to have consented, and a fallback is for all', async () => {
  const asked = { channel: 'app' as const };
  expect(idsOf(await handedOut([ndjson(['withdrew', 'nobody'])], asked))).toEqual(['nobody']);
  expect(idsOf(await handedOut([ndjson(['withdrew'], { fallback: true })], asked))).toEqual(['withdrew']);
});

test('of CSV, each line of a customer goes, whatever is in its cells', async () => {
  const head = `${BATCH_COLUMNS.join(',')}\r\n`;
  const rows = all.flatMap((customerId) =>
    ['five', 'gift'].map((offerId) => {
      const offer = [offerId, 'v', 'Two\r\nlines, "quoted"', '1.5', 'EUR', '', 'false', '{"a":"b,c"}'];
      return `${[customerId, 'd', ...offer, 'true', ''].map((cell) => csvCell(cell)).join(',')}\r\n`;
    }),
  );
  const text = head + rows.join('');
  const pieces = text.match(/[\s\S]{1,7}/g) ?? [];
  const staying = [0, 1, 8, 9, 10, 11].map((at) => rows[at]).join('');
  expect(await handedOut(pieces, { format: 'csv' })).toBe(head + staying);
  const told = await handedOut(pieces, { format: 'csv', includeNothing: true });
  const withdrawn = told.split('\r\n').filter((line) => line.startsWith('withdrew'));
  expect(withdrawn).toEqual(['withdrew,d,,,,,EUR,,false,,false,no-consent']);
});

test('a Redis that stalls in the midst of a list does not end it; one that is away at its beginning does', async () => {
  const pieces = [ndjson(Array.from({ length: 250 }, () => 'stays'))];
  let asked = 0;
  const failingAt = (...times: number[]) => ({
    readManyEncoded: async (ids: readonly string[]) => {
      if (times.includes(++asked)) throw new Error('Command timed out');
      return await records.readManyEncoded(ids);
    },
  });
  expect(idsOf(await handedOut(pieces, {}, failingAt(2, 4)))).toHaveLength(250);
  expect(asked).toBe(5);
  asked = 0;
  await expect(handedOut(pieces, {}, failingAt(1))).rejects.toThrow('Command timed out');
});
