import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SimulationOptions } from '../../../src/simulation/options.ts';
import { simulateIntoFolder } from '../../../src/simulation/output-folder.ts';
import { NOW, openShop } from './support.ts';

const folder = await mkdtemp(join(tmpdir(), 'nextbest-decisions-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const lines = (...objects: unknown[]) => objects.map((object) => `${JSON.stringify(object)}\n`).join('');
const decision = {
  decisionId: 'd1',
  customerId: 'anna',
  channel: 'email',
  currency: 'EUR',
  decidedAt: '2026-01-02T08:00:00.000Z',
  placements: [{ placement: 'top', offers: [], fallback: false, loggingPropensity: 0.5 }],
  excluded: [],
  fallback: false,
  experiment: null,
  modelVersions: {},
  policyVersion: 'drawn',
  degraded: false,
};

test('decisions get into the lake as they are, each once', async () => {
  const shop = await openShop();
  const path = await shop.file(
    'log.ndjson',
    lines(decision, { kind: 'decision', decision: { ...decision, decisionId: 'd2' } }, decision),
  );
  expect(await shop.run('nextbest', [path])).toMatchObject({
    rowsRead: 3,
    accepted: 2,
    rejected: { duplicateRow: 1 },
    decisions: 2,
  });
  const [first] = await shop.lake('decisions');
  expect(first).toMatchObject({
    decisionId: 'd1',
    customerId: 'anna',
    sessionId: null,
    decidedAt: '2026-01-02 08:00:00',
    channel: 'email',
    campaign: null,
  });
  expect(JSON.parse(String(first?.json))).toEqual(decision);
  expect(await shop.run('nextbest', [path])).toMatchObject({
    accepted: 0,
    rejected: { alreadyImported: 2, duplicateRow: 1 },
    decisions: 0,
  });
});

test.each([
  ['without an id that could be reported to', { decisionId: null }, 'invalid'],
  ['about nobody', { customerId: undefined }, 'invalid'],
  ['on an unknown channel', { channel: 'pigeon' }, 'invalid'],
  [
    'with a probability above 1',
    { placements: [{ ...decision.placements[0], loggingPropensity: 1.5 }] },
    'invalid',
  ],
  ['from the future', { decidedAt: new Date(NOW + 3 * 86_400_000).toISOString() }, 'badDate'],
])('one %s is refused', async (_what, change, reason) => {
  const shop = await openShop();
  // The kind is said, as a line without an id does not tell by itself what it is.
  const path = await shop.file(
    'log.ndjson',
    lines({ kind: 'decision', decision: { ...decision, ...change } }),
  );
  expect(await shop.run('nextbest', [path])).toMatchObject({
    accepted: 0,
    rejected: { [reason]: 1 },
    decisions: 0,
  });
});

test('a simulated shop is imported with its decisions, whose outcomes are among its events', async () => {
  const options = SimulationOptions.parse({
    customers: 60,
    items: 40,
    days: 150,
    end: '2025-12-31',
    seed: 3,
  });
  await simulateIntoFolder(options, folder);
  const shop = await openShop();
  const report = await shop.run('nextbest', [folder]);
  expect(report.rejected).toEqual({});
  expect(report.decisions).toBeGreaterThan(50);
  const decisions = await shop.lake('decisions');
  const ids = new Set(decisions.map(({ decisionId }) => decisionId));
  const outcomes = (await shop.lake('events')).filter(({ type }) => type === 'offerOutcome');
  expect(outcomes.length).toBeGreaterThan(10);
  for (const { detail } of outcomes)
    expect(ids).toContain((JSON.parse(String(detail)) as { decisionId: string }).decisionId);
});
