/** Experiments over HTTP, and in what the service answers; their arithmetic is in tests/insights/experiments. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import { openLake } from '../../../src/history/lake.ts';
import { controlGroupSplit, experimentSplit } from '../../../src/insights/experiments/split.ts';
import { compileExperiments } from '../../../src/offers/experiments.ts';
import { writeBuyers } from '../../insights/experiments/buyers.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { type Answer, startTestService, type TestService } from '../../support/service.ts';

const policy = {
  controlGroupShare: 0.1,
  experiments: [
    {
      name: 'spring',
      from: '2026-06-01T00:00:00Z',
      to: '2026-07-01T00:00:00Z',
      variants: [{ name: 'control' }, { name: 'response', ranking: 'response' }],
    },
    {
      name: 'page',
      from: '2026-06-01T00:00:00Z',
      variants: [{ name: 'home' }, { name: 'popular', scenarios: { home: 'popular' } }],
    },
    {
      name: 'without-tea',
      from: '2026-06-01T00:00:00Z',
      variants: [{ name: 'as-it-is' }, { name: 'without', withoutOffers: ['tea-week'] }],
    },
    {
      name: 'aa',
      from: '2026-06-01T00:00:00Z',
      share: 0.5,
      variants: [{ name: 'a' }, { name: 'b' }],
    },
    { name: 'next', from: '2999-01-01T00:00:00Z', variants: [{ name: 'a' }, { name: 'b' }] },
  ],
} as const;
const parsed = DecisionPolicy.parse(policy);
const experiments = compileExperiments(parsed);

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-experiments-'));
  const lake = await openLake(dataDir);
  const [spring] = parsed.experiments;
  if (spring === undefined) throw new Error('no experiment');
  const { groupOf } = experimentSplit(spring, parsed);
  await writeBuyers(lake, groupOf, 10_000, { 0: 0.3, 1: 0.4 });
  lake.close();
  const { experiments: list, ...rest } = policy;
  service = await startTestService({
    redisUrl,
    prefix,
    env: { DATA_DIR: dataDir },
    policy: { ...rest, experiments: structuredClone(list) as never },
  });
});
afterAll(async () => {
  await service.close();
  await rm(dataDir, { recursive: true });
});

test('GET /experiments: which there are, and how they stand', async () => {
  const { status, body } = await service.call('GET', '/experiments');
  expect(status).toBe(200);
  expect(body.controlGroupShare).toBe(0.1);
  const states = body.experiments.map(({ name, state }: { name: string; state: string }) => [name, state]);
  expect(states).toEqual([
    ['spring', 'ended'],
    ['page', 'running'],
    ['without-tea', 'running'],
    ['aa', 'running'],
    ['next', 'planned'],
  ]);
  expect(body.experiments[0].variants[1]).toEqual({ name: 'response', weight: 1, ranking: 'response' });
});

test('GET /experiments/{name}: its groups beside each other', async () => {
  const { status, body } = await service.call('GET', '/experiments/spring');
  expect(status).toBe(200);
  expect(body).toMatchObject({ state: 'ended', until: '2026-07-01T00:00:00.000Z', currency: 'EUR' });
  expect(body.sampleRatio.mismatch).toBe(false);
  expect(body.groups.map(({ name }: { name: string }) => name)).toEqual(['control', 'response']);
  expect(body.differences[0].repeatPurchaseRate.verdict).toBe('higher');
});

test('what there is not is told apart from what there is', async () => {
  const unknown = await service.call('GET', '/experiments/summer');
  expect(unknown.status).toBe(404);
  expect(unknown.body.detail).toContain('There are: spring, page, without-tea, aa, next.');
  expect((await service.call('GET', '/offers/nothing/holdout')).status).toBe(404);
  const faulty = await service.call('GET', '/control-group?from=2026-07-01&to=2026-06-01');
  expect(faulty.body.faults).toEqual([
    { path: 'query.from', message: 'must not come after to, which is 2026-06-01' },
  ]);
});

test('GET /control-group: everybody else beside it, over the days asked for', async () => {
  const { status, body } = await service.call('GET', '/control-group?from=2026-06-01&to=2026-06-30');
  expect(status).toBe(200);
  expect(body).toMatchObject({ from: '2026-06-01T00:00:00.000Z', until: '2026-07-01T00:00:00.000Z' });
  // Of the control group nobody bought again.
  expect(body.groups[0]).toMatchObject({ name: 'without', repeatPurchaseRate: { value: 0 } });
  expect(body.differences[0]).toMatchObject({ group: 'with', against: 'without' });
  expect(body.groups[0].customers + body.groups[1].customers).toBe(10_000);
  expect(controlGroupSplit(parsed, { from: 0, end: undefined }).groups[0]?.weight).toBeCloseTo(0.1, 6);
});

test('GET /control-group: before anything is decided there is nothing to read', async () => {
  const { body } = await service.call('GET', '/control-group');
  expect(body.from).toBe(body.until);
  expect(body.warnings).toEqual([`It starts on ${body.from}: there is nothing to read yet.`]);
});

test('GET /offers/{offerId}/holdout: from when the offer began, beside those who never get it', async () => {
  const offer = { name: 'Tea', benefit: { kind: 'content' }, channels: ['web'] };
  const savedFrom = Date.now();
  await service.call('PUT', '/offers/tea', {
    ...offer,
    holdoutShare: 0.2,
    validFrom: '2026-06-10T00:00:00Z',
  });
  const { status, body } = await service.call('GET', '/offers/tea/holdout?from=2026-06-01');
  expect(status).toBe(200);
  expect(body.groups[0].weight).toBeCloseTo(0.2, 6);
  expect(body.groups[0].customers + body.groups[1].customers).toBeLessThan(9200);
  // Without days: since it began, though the lake has not heard of it yet, and not before.
  const all = await service.call('GET', '/offers/tea/holdout');
  expect(Date.parse(all.body.from)).toBeGreaterThanOrEqual(savedFrom);
  expect(Date.parse(all.body.from)).toBeLessThanOrEqual(Date.now());
  await service.call('PUT', '/offers/coffee', offer);
  const none = await service.call('GET', '/offers/coffee/holdout');
  expect(none.status).toBe(404);
  expect(none.body.detail).toContain('holdoutShare is 0');
});

test('GET /recommendations: a variant shows another scenario in the place of the one asked, and the answer says so', async () => {
  const seen = new Map<string, string[]>();
  for (let i = 0; i < 40; i++) {
    const id = `someone-${i}`;
    const { body } = await service.call('GET', `/recommendations?customerId=${id}&n=3&explain=true`);
    const { experiment, furtherExperiments } = experiments.pageSettingsFor(id, 'home', Date.now());
    expect(body.experiment).toEqual(experiment);
    expect(body.furtherExperiments ?? []).toEqual(furtherExperiments);
    const sources: string[] = body.items.map(({ source }: { source: string }) => source);
    seen.set(experiment?.variant ?? 'none', sources);
    const cart = await service.call('GET', `/recommendations?customerId=${id}&scenario=cart&n=1`);
    // Only the one whose variants are alike concerns it.
    expect(cart.body.experiment?.name ?? 'aa').toBe('aa');
  }
  expect([...seen.keys()].sort()).toEqual(['home', 'none', 'popular']);
  expect(new Set(seen.get('popular'))).toEqual(new Set(['popularity']));
  const visit = await service.call('GET', '/recommendations?sessionId=visit-1');
  expect(visit.body.experiment).toEqual(
    experiments.pageSettingsFor('session:visit-1', 'home', Date.now()).experiment,
  );
  expect((await service.call('GET', '/recommendations')).body.experiment).toBeNull();
});

test('POST /offers/decide: decides by the variant, says so, and keeps the control group from offers', async () => {
  const offer = { name: 'Tea week', benefit: { kind: 'percentOff', percent: 1 }, channels: ['web'] };
  await service.call('PUT', '/offers/tea-week', { ...offer, holdoutShare: 0.2 });
  const outcomeOf = ({ placements, excluded }: Answer['body']): string =>
    placements[0].offers.some((one: { offerId: string }) => one.offerId === 'tea-week')
      ? 'made'
      : excluded.find((one: { offerId: string }) => one.offerId === 'tea-week')?.reasonCode;
  await eventually(async () => {
    const dry = { customerId: 'decided-first', channel: 'web', dryRun: true };
    expect(outcomeOf((await service.call('POST', '/offers/decide', dry)).body)).toBeDefined();
  });
  const told = new Map<string, Set<string>>();
  for (let i = 0; i < 60; i++) {
    const customerId = `decided-${i}`;
    const { body } = await service.call('POST', '/offers/decide', { customerId, channel: 'web' });
    const { experiment, furtherExperiments } = experiments.settingsFor(customerId, Date.now());
    expect(body.experiment).toEqual(experiment);
    expect(body.furtherExperiments ?? []).toEqual(furtherExperiments);
    const variant = experiment?.variant ?? 'control group';
    told.set(variant, (told.get(variant) ?? new Set()).add(outcomeOf(body)));
    const logged = await service.call('GET', `/decisions/${body.decisionId}`);
    expect(logged.body.experiment).toEqual(experiment);
  }
  const { text: metrics } = await service.call('GET', '/metrics');
  expect(metrics).toMatch(
    /nextbest_serve_experiment_answers_total\{experiment="without-tea",variant="without"\} \d+/,
  );
  // Another process of this version is not another policy.
  expect(metrics).toMatch(/nextbest_serve_policy_info\{version="[0-9a-f]{12}"[^}]*\} 1\n/);
  expect(metrics).toMatch(/nextbest_serve_policies_in_force(\{[^}]*\})? 1\n/);
  expect(told.get('control group')).toEqual(new Set(['control-group']));
  expect(told.get('without')).toEqual(new Set(['switched-off']));
  expect(told.get('as-it-is')).toEqual(new Set(['made', 'offer-holdout']));
});
