/** Trains on a shop whose truth is known: what persuades some and is a gift to others must be told apart, or kept from being served. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OfferModel } from '../../../src/algorithms/offer-model/offer-model.ts';
import { offersFromFiles } from '../../../src/algorithms/offer-model/offer-model-files.ts';
import { customerFacts } from '../../../src/decide/customer-facts.ts';
import { noContext } from '../../../src/decide/decide.ts';
import { currentPolicy } from '../../../src/decide/policy.ts';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { OFFER_POLICIES } from '../../../src/evaluation/offers/evaluate-offers.ts';
import type { CustomerRecord } from '../../../src/features/record.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { listModels, loadModel } from '../../../src/infra/model-store.ts';
import type { Models, Served } from '../../../src/scoring/served.ts';
import { evaluateDecisions } from '../../../src/train/offers/evaluate-decisions.ts';
import { trainOffers } from '../../../src/train/offers/train-offers.ts';
import { sandbox } from '../../support/nextbest.ts';
import {
  type OfferShop,
  offerShop,
  offerShopEnd,
  offerShopStart,
  tenOff,
  truth,
  writeOfferShop,
} from '../../support/offer-shop.ts';
import { makeOffer } from '../../support/offers.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { replayedRecords } from '../../support/replayed-records.ts';

const shop: OfferShop = offerShop(1500, 1);
let folder: string;
let lake: Lake;
let first: JobResult;
let model: OfferModel;
let records: Map<string, CustomerRecord>;
const { url, prefix } = testRedis();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-offers-'));
  lake = await openLake(folder);
  await writeOfferShop(lake, shop);
  first = await train();
  model = await served();
  records = await replayedRecords(lake);
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

function train(change: Partial<Parameters<typeof trainOffers>[0]> = {}): Promise<JobResult> {
  return trainOffers({
    lake,
    modelsDir: join(folder, 'models'),
    policy: currentPolicy(DecisionPolicy.parse({})),
    currency: 'EUR',
    seed: 1,
    now: offerShopEnd,
    random: Math.random,
    log: silentLog,
    report: () => {},
    ...change,
  });
}

async function served(modelsDir = join(folder, 'models')): Promise<OfferModel> {
  const { arrays, tables } = await loadModel(modelsDir, 'offers');
  return offersFromFiles(arrays, tables);
}

function effectOn(customerId: string, offer = tenOff) {
  const models = { offers: { version: '1', model } } as unknown as Models;
  const facts = customerFacts(
    customerId,
    records.get(customerId),
    { ...models, offers: models.offers as Served<OfferModel> },
    new Map(),
    noContext,
    offerShopEnd,
  );
  return facts.effectOf(offer, 'web');
}

function meanEffect(isHunter: boolean, offer = tenOff) {
  const effects = [...records.keys()]
    .filter((customerId) => shop.hunters.has(customerId) === isHunter)
    .map((customerId) => effectOn(customerId, offer));
  const mean = (read: (effect: NonNullable<(typeof effects)[0]>) => number) =>
    effects.reduce((sum, effect) => sum + (effect === undefined ? Number.NaN : read(effect)), 0) /
    effects.length;
  return { uplift: mean(({ uplift }) => uplift), accept: mean(({ acceptPropensity }) => acceptPropensity) };
}

test('decisions by it earn more than those by assumption, which also give to those who buy anyway: it is published', () => {
  expect(first).toMatchObject({ job: 'train-offers', model: 'offers', published: true });
  expect(first.reason).toContain('beats decisions by what is assumed of each benefit');
  const { metrics } = first;
  expect(metrics.advantageLower).toBeGreaterThan(0);
  expect(metrics.lower).toBeLessThan(metrics.value!);
  expect(metrics.upper).toBeGreaterThan(metrics.value!);
  // It offers to the hunters, about half; the assumptions to everybody.
  expect(metrics.offerShare).toBeGreaterThan(0.35);
  expect(metrics.offerShare).toBeLessThan(0.65);
  expect(metrics.championOfferShare).toBeGreaterThan(0.9);
  // The true value of offering to hunters alone: margins of 15.00, less 10 % of an order where it is redeemed.
  const hunter = truth.hunterOffered * (0.3 * 4500 - 450);
  const other = truth.other * 0.3 * 5000;
  expect(Math.abs(metrics.value! - (hunter + other) / 2)).toBeLessThan(metrics.upper! - metrics.lower!);
  expect(metrics.upliftAt30).toBeGreaterThan(0);
});

test('whom it persuades is told from whom it is a gift to, who redeem it as often', () => {
  const [hunters, others] = [meanEffect(true), meanEffect(false)];
  expect(hunters.uplift).toBeGreaterThan(0.38);
  expect(hunters.uplift).toBeLessThan(0.6);
  expect(Math.abs(others.uplift)).toBeLessThan(0.1);
  expect(hunters.accept).toBeGreaterThan(0.5);
  expect(others.accept).toBeGreaterThan(0.4);
});

test('a new offer of the same kind begins at what that one does; of a kind that was never made nothing is said', () => {
  const fifteen = makeOffer({
    offerId: 'fifteen',
    benefit: { kind: 'percentOff', percent: 15 },
    channels: ['web'],
  });
  expect(meanEffect(true, fifteen).uplift).toBeGreaterThan(0.2);
  expect(
    effectOn('c1', makeOffer({ offerId: 'gift', benefit: { kind: 'gift', costMinor: 100 } })),
  ).toBeUndefined();
});

test('the same log and seed give the same model, whatever the hour', async () => {
  const again = await train({
    modelsDir: join(folder, 'again'),
    random: () => 0.5,
    now: offerShopEnd + 1,
  });
  expect(again.metrics).toEqual(first.metrics);
  expect(await served(join(folder, 'again'))).toEqual(model);
});

test('what is served is held only to decisions that it has not learnt from, and stays while nothing beats it beyond doubt', async () => {
  expect((await train()).reason).toMatch(/^too few decisions .* has not learnt from: 0 of at least 200$/);
  const modelsDir = join(folder, 'later');
  const early = await train({ modelsDir, cutoff: offerShopEnd - 50 * dayMs });
  expect(early.published).toBe(true);
  const next = await train({ modelsDir });
  expect(next).toMatchObject({ published: false });
  expect(next.reason).toContain(`does not beat decisions by the served version ${early.version}`);
  expect((await listModels(modelsDir)).filter(({ current }) => current)).toMatchObject([
    { manifest: { version: early.version } },
  ]);
});

test('on the decisions of the lake a version that is in the shadow is judged beside what is assumed, and beside what the log teaches', async () => {
  const shadow = join(folder, 'shadow');
  const version = first.version!;
  await cp(join(folder, 'models', 'offers', version), join(shadow, 'offers', version), { recursive: true });
  const evaluate = (change: Partial<Parameters<typeof evaluateDecisions>[0]> = {}) =>
    evaluateDecisions(
      {
        lake,
        policy: currentPolicy(DecisionPolicy.parse({})),
        currency: 'EUR',
        seed: 1,
        modelsDir: shadow,
        log: silentLog,
        end: offerShopEnd,
        ...change,
      },
      { seeds: 1, estimator: 'doublyRobust', onProgress: () => {} },
    );
  const { lines, notes, decisions } = await evaluate();
  expect(lines.map(({ policy }) => policy)).toEqual([version, 'assumed', ...OFFER_POLICIES]);
  const worthOf = (policy: string) => lines.find((line) => line.policy === policy)?.value ?? Number.NaN;
  // The assumptions offer to everybody, the version to those whom it persuades.
  expect(worthOf(version)).toBeGreaterThan(worthOf('assumed'));
  expect(worthOf(version)).toBeGreaterThan(worthOf('none'));
  expect(worthOf('assumed')).toBeCloseTo(worthOf('best-single'), -2);
  const [judged] = lines;
  expect(judged!.upliftAt30!).toBeGreaterThan(lines[1]!.upliftAt30!);
  expect(decisions).toBeGreaterThan(4000);
  expect(notes.join()).toMatch(
    new RegExp(`${version} may have learnt from \\d+ of the ${decisions} decisions`),
  );

  await expect(evaluate({ version: 'none' })).rejects.toThrow('no version none');
  await expect(evaluate({ modelsDir: join(folder, 'nowhere') })).rejects.toThrow('nextbest train offers');
  await expect(evaluate({ end: offerShopStart })).rejects.toThrow('no decision on a customer');
});

test('without decisions, or with too few, it says so and publishes nothing', async () => {
  const empty = await openLake(join(folder, 'empty'));
  expect(await train({ lake: empty })).toMatchObject({
    published: false,
    reason: 'no decisions on offers have been logged: there is nothing to learn from yet',
  });
  await writeOfferShop(empty, offerShop(100, 2));
  expect((await train({ lake: empty })).reason).toMatch(/^too few decisions .* of at least 200$/);
  expect((await train({ cutoff: offerShopEnd - 98 * dayMs })).reason).toContain('has passed');
  empty.close();
});

test('as a job of the worker, from the command line', async () => {
  const place = await sandbox();
  const own = await openLake(place.dataDir);
  await writeOfferShop(own, shop);
  own.close();
  const { exitCode, stdout } = await place.run(['train', 'train-offers', '--json'], {
    REDIS_URL: url,
    KEY_PREFIX: prefix,
  });
  expect(exitCode).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ job: 'train-offers', state: 'completed', published: true });
  expect(result.metrics.value).toBe(first.metrics.value);
});
