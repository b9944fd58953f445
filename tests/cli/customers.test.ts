/** `nextbest customers put`: a CRM's file, over real Redis and as the service reads it. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRecordStore } from '../../src/features/record-store.ts';
import { readEntries } from '../../src/history/event-stream.ts';
import { sandbox } from '../support/nextbest.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys, url, prefix } = testRedis();
const box = await sandbox();
const env = { REDIS_URL: url, KEY_PREFIX: prefix };
const records = createRecordStore(redis, keys);
const attributesOf = async (id: string) => (await records.read(id))?.attributes;

async function put(name: string, text: string, ...flags: string[]) {
  const file = join(box.dataDir, '..', name);
  await writeFile(file, text);
  return box.run(['customers', 'put', file, '--json', ...flags], env);
}

test("Shopify's customer export: who accepts marketing has consented, who does not has not, an empty cell says nothing", async () => {
  const { exitCode, stdout, stderr } = await put(
    'customers_export.csv',
    'Customer ID,First Name,Email,Accepts Email Marketing,Default Address Country Code,Accepts SMS Marketing\n' +
      "'1,Ann,Ann@Shop.example,yes,DE,no\n" +
      '\'2,"Bob, the first",bob@shop.example,no,,\n' +
      "'3,Cleo,,yes,DE,yes\n" +
      "'4,Dan,dan@shop.example,perhaps,DE,\n" +
      'cut\n',
  );
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { rowsRead: 5, accepted: 2, rejected: 3 }]);
  expect(await attributesOf('ann@shop.example')).toEqual({
    consent: { email: true, phone: false },
    segment: 'DE',
  });
  expect(await attributesOf('bob@shop.example')).toEqual({ consent: { email: false } });
  expect(stderr).toMatch(/^line 4: customerId is missing/m);
  expect(stderr).toMatch(/^line 5: consent\.email must be true or false/m);
  expect(stderr).toMatch(/^line 6: the line cannot be read/m);
  expect(stderr).not.toContain('dan@');
  // In the history too, and not in Redis alone.
  const entries = await readEntries(redis, keys, '0-0', 100);
  expect(entries.map(({ entry }) => entry?.kind === 'event' && entry.event.type)).toEqual([
    'customerUpdated',
    'customerUpdated',
  ]);
});

test('NDJSON in the words of the API, more than go together; put again it changes nothing', async () => {
  const lines = Array.from({ length: 1200 }, (_, n) =>
    JSON.stringify({ customerId: `c${n}`, loyaltyTier: 'gold', consent: { email: n % 2 === 0 } }),
  );
  for (let times = 0; times < 2; times++) {
    const { stdout } = await put(
      'customers.ndjson',
      [...lines, '{"customerId":"c0","timeZone":"Europe/Berlin"}'].join('\n'),
    );
    expect(JSON.parse(stdout)).toEqual({ rowsRead: 1201, accepted: 1201, rejected: 0 });
    expect(await attributesOf('c0')).toEqual({
      loyaltyTier: 'gold',
      consent: { email: true },
      timeZone: 'Europe/Berlin',
    });
    expect(await attributesOf('c1199')).toMatchObject({ consent: { email: false } });
  }
});

test('a table with the fields for columns, customers by their hashes', async () => {
  const { exitCode } = await put(
    'crm.csv',
    'customerId;emailConsent;tier\nEve@shop.example;1;silver\n',
    '--hash-customers',
  );
  expect(exitCode).toBe(0);
  const id = createHash('sha256').update('eve@shop.example').digest('hex');
  expect(await attributesOf(id)).toEqual({ consent: { email: true }, loyaltyTier: 'silver' });
});

test('a file that says nothing of customers is refused with what lacks; one of faults alone is a failure', async () => {
  const { exitCode, stderr } = await put('orders.csv', 'Name,Total\n1,2\n');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/lacks columns .*"Accepts Email Marketing".*A table of your own names customerId/s),
  ]);
  expect((await put('wrong.ndjson', '{"customerId":"x","tier":"gold"}\n')).exitCode).toBe(1);
});

test('a table with a column that is not known says which; one with nothing else is refused: consent would have stayed as it was', async () => {
  const mixed = await put('mixed.csv', 'customerId,emailConsent,smsConsent\nfay,0,1\n');
  expect([mixed.exitCode, mixed.stderr]).toEqual([0, expect.stringContaining('these names: smsConsent')]);
  expect(await attributesOf('fay')).toEqual({ consent: { email: false } });
  const { exitCode, stderr } = await put('misspelt.csv', 'customerId,email\nfay,true\n');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/besides customerId it has email\. .*consent\.email/),
  ]);
});
