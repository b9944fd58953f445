import { expect, test } from 'vitest';
import { writeSimulatedPart } from '../../../src/cli/bench/simulated-lake.ts';
import { openShop } from '../../history/import/support.ts';
import { simulateTexts } from '../../simulation/in-memory.ts';
import { testLake } from '../../support/lake.ts';

test('the lake is, row by row, the one that an import of the same simulation makes', async () => {
  const shop = await openShop();
  const texts = await simulateTexts({ customers: 60, items: 60, days: 200, seed: 4, end: '2026-05-01' });
  const files = await Promise.all(
    (['customers', 'events'] as const).map((name) => shop.file(`${name}.ndjson`, texts[name])),
  );
  const lake = await testLake();
  await writeSimulatedPart(lake, 'import-simulated', files);
  const written = await lake.connection.runAndReadAll(
    `SELECT * FROM ${lake.from('events')} ORDER BY eventId, line`,
  );
  const { rejected } = await shop.run('nextbest', files);
  expect(rejected).toEqual({});
  const rows = written.getRowObjectsJson();
  expect(rows.length).toBeGreaterThan(2000);
  expect(rows).toEqual(await shop.lake('events'));
});
