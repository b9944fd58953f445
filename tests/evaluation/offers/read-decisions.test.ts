import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { DECISION_PRESETS, readDecisions } from '../../../src/evaluation/offers/read-decisions.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();
const header = 'customerId,offerId,loggingPropensity,reward,city';
const rows = ['ann,spring,0.5,3,"Bad, Tölz"', 'bob,,0.5,0,Ulm', 'ann,NONE,0.25,-1.5,', 'cy,gift,0.25,2,Ulm'];
const csv = [header, ...rows].join('\n');

test('CSV: ids numbered as they are met, no contact by an empty offer or "none", other columns as texts', async () => {
  const log = await readDecisions(await write('d.csv', csv), {}, []);
  expect(log.customers).toEqual(['ann', 'bob', 'cy']);
  expect([...log.customer]).toEqual([0, 1, 0, 2]);
  expect(log.offers).toEqual(['spring', 'gift']);
  expect([...log.arm]).toEqual([0, -1, -1, 1]);
  expect([...log.propensity]).toEqual([0.5, 0.5, 0.25, 0.25]);
  expect([...log.reward]).toEqual([3, 0, -1.5, 2]);
  expect(log.others).toEqual([
    { name: 'city', code: Int32Array.of(0, 1, -1, 1), levels: ['Bad, Tölz', 'Ulm'] },
  ]);
});

test('gzipped CSV, NDJSON, gzipped NDJSON and Parquet read as the same log', async () => {
  const same = await readDecisions(await write('plain.csv', csv), {}, []);
  const objects = [
    { customerId: 'ann', offerId: 'spring', loggingPropensity: 0.5, reward: 3, city: 'Bad, Tölz' },
    { customerId: 'bob', offerId: null, loggingPropensity: 0.5, reward: 0, city: 'Ulm' },
    { customerId: 'ann', offerId: 'NONE', loggingPropensity: 0.25, reward: -1.5 },
    { customerId: 'cy', offerId: 'gift', loggingPropensity: 0.25, reward: 2, city: 'Ulm' },
  ];
  const ndjson = objects.map((one) => JSON.stringify(one)).join('\n');
  const csvPath = await write('d[1].csv', csv);
  const parquetPath = join(csvPath, '..', 'd.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT * REPLACE (loggingPropensity::DOUBLE AS loggingPropensity) FROM read_csv('${await write('p.csv', csv)}', all_varchar = true)) TO '${parquetPath}'`,
  );
  instance.closeSync();
  for (const path of [
    csvPath,
    await write('d.csv.gz', gzipSync(csv)),
    await write('d.ndjson', ndjson),
    await write('d.ndjson.gz', gzipSync(ndjson)),
    parquetPath,
  ])
    expect(await readDecisions(path, {}, [])).toEqual(same);
});

test('other names by a map or a preset; columns to ignore are not read; without a column of customers each row is one', async () => {
  const obd = [
    ',timestamp,item_id,position,click,propensity_score',
    '0,2019-11-24 00:00:01,7,1,0,0.5',
    '1,2019-11-24 00:00:02,7,2,1,0.5',
  ].join('\n');
  const log = await readDecisions(await write('obd.csv', obd), DECISION_PRESETS.obd!, ['position']);
  expect(log.customers).toEqual(['1', '2']);
  expect([...log.reward]).toEqual([0, 1]);
  expect(log.others.map(({ name }) => name)).not.toContain('position');
});

test.each([
  ['a missing column', csv.replace('reward', 'money'), 'lacks reward. Its columns are customerId, offerId'],
  [
    'a propensity of 0',
    csv.replace('0.5,3', '0,3'),
    'row 1: loggingPropensity is 0; it must be the probability',
  ],
  ['a propensity above 1', csv.replace('0.5,0', '1.5,0'), 'row 2: loggingPropensity is 1.5'],
  ['no number as reward', csv.replace('-1.5', 'much'), 'row 3: "much" in reward is no number'],
  ['no customer', csv.replace('cy,', ','), 'row 4: customerId is empty'],
  ['no rows', header, 'has no rows'],
  ['a comma without quotes', `${csv}\ndi,a,0.5,1,x, y`, 'with a comma in it must stand in double quotes'],
])('%s is wrong usage, with the cure', async (name, text, words) => {
  await expect(readDecisions(await write(`${name}.csv`, text), {}, [])).rejects.toThrow(words);
});

test('a file that is not there, or of no known type, says so', async () => {
  await expect(readDecisions('/nowhere/d.csv', {}, [])).rejects.toThrow('There is no file');
  await expect(readDecisions(await write('d.xlsx', 'x'), {}, [])).rejects.toThrow('.parquet');
});
