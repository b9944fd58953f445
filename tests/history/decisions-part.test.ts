import { expect, test } from 'vitest';
import { listParts } from '../../src/history/lake.ts';
import { type DecisionRow, openDecisionsPart } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';

const row = (n: number): DecisionRow => ({
  decisionId: `d${n}`,
  customerId: `c${n}`,
  decidedAt: Date.UTC(2026, 0, 1),
  channel: 'email',
  campaign: n % 2 === 0 ? 'spring' : null,
  json: JSON.stringify({ n, name: 'Käse "frisch"' }),
});

const frames = new Map([['f1', '{"offers":[]}']]);

test('decisions that come little by little are one part, and none before they are written', async () => {
  const lake = await testLake();
  const part = await openDecisionsPart(lake);
  part.add([row(0), row(1)], frames);
  part.add([row(2)], frames);
  expect(await listParts(lake, 'decisions')).toHaveLength(0);
  await part.write('list-0');
  expect(await listParts(lake, 'decisions')).toHaveLength(1);
  const read = await lake.connection.runAndReadAll(
    `SELECT "decisionId", "campaign", "json" FROM ${lake.from('decisions')} ORDER BY 1`,
  );
  expect(read.getRows()).toEqual([0, 1, 2].map(row).map((of) => [of.decisionId, of.campaign, of.json]));
  const next = await openDecisionsPart(lake);
  next.add([row(3)], frames);
  await next.write('list-1');
  const kept = await lake.connection.runAndReadAll(`SELECT * FROM ${lake.from('frames')}`);
  expect(kept.getRows()).toEqual([...frames]);
});

test('two are filled at once, one while the other is written; what is discarded, or empty, leaves nothing', async () => {
  const lake = await testLake();
  const first = await openDecisionsPart(lake);
  first.add([row(0)], frames);
  const writing = first.write('list-0');
  const second = await openDecisionsPart(lake);
  second.add([row(1)], frames);
  await writing;
  second.discard();
  second.discard();
  const empty = await openDecisionsPart(lake);
  await empty.write('list-1');
  const read = await lake.connection.runAndReadAll(`SELECT "decisionId" FROM ${lake.from('decisions')}`);
  expect(read.getRows()).toEqual([['d0']]);
});
