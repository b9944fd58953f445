import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fitOfferModel } from '../../src/algorithms/offer-model/fit-offer-model.ts';
import { offersToFiles } from '../../src/algorithms/offer-model/offer-model-files.ts';
import { OfferModelOptions } from '../../src/algorithms/offer-model/offer-model-options.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { noContact } from '../../src/algorithms/uplift/uplift-log.ts';
import { noContext, openDecision } from '../../src/decide/decide.ts';
import { loadTrialModels, modelsFor, withTrialModels } from '../../src/decide/trial-models.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { CustomerId } from '../../src/domain/ids.ts';
import { FEATURE_SCHEMA } from '../../src/features/registry.ts';
import { type LoadedModel, publishModel } from '../../src/infra/model-store.ts';
import { trialVersions } from '../../src/infra/trial-versions.ts';
import { compileExperiments } from '../../src/offers/experiments.ts';
import type { Models } from '../../src/scoring/served.ts';
import { makeMarket } from '../support/offers.ts';
import { publishShopModel } from '../support/shop-models.ts';

const version = '20260601T030000Z-00000001';
const now = Date.UTC(2026, 5, 15);
const noTrials = {
  offers: new Map(),
  churn: new Map(),
  customerValue: new Map(),
  collaborative: new Map(),
};
const policyTo = (to?: string) =>
  DecisionPolicy.parse({
    experiments: [
      {
        name: 'model',
        from: '2026-06-01T00:00:00Z',
        ...(to !== undefined && { to }),
        variants: [{ name: 'served' }, { name: 'other', offerModel: version }],
      },
    ],
  });

async function emptyFolder(): Promise<string> {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-trial-'));
  onTestFinished(() => rm(modelsDir, { recursive: true }));
  return modelsDir;
}

/** Learnt from a log in which a discount was made to every second customer; what it says is of no account here. */
async function publishOfferModel(modelsDir: string, featureSchema: string): Promise<void> {
  const rows = 400;
  const rng = createRng('trial', 1);
  const column = (share: number) => Uint8Array.from({ length: rows }, () => Number(rng.chance(share)));
  const log = {
    rows,
    featureNames: ['x'],
    channels: ['web'],
    contexts: Float32Array.from({ length: 2 * rows }, () => rng.next()),
    offers: [{ offerId: 'ten', kind: 'percentOff' as const, depth: 0.1, retention: false, categories: [] }],
    offer: Int32Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 0 : noContact)),
    shownAgain: new Uint8Array(rows),
    propensity: new Float64Array(rows).fill(0.5),
    customer: Int32Array.from({ length: rows }, (_, row) => row),
    categories: [],
    interest: new Float32Array(0),
    evidence: new Float32Array(rows),
    redeemed: Uint8Array.from(column(0.3), (bought, row) => (row % 2 === 0 ? bought : 0)),
    read: new Uint8Array(rows),
    taken: new Uint8Array(rows),
    dismissed: new Uint8Array(rows),
    orders: column(0.4),
    churned: new Float32Array(rows).fill(Number.NaN),
  };
  const context = { windowDays: 14, churnHorizonDays: 30, usualOrderMinor: 5000 };
  const model = await fitOfferModel(log, context, OfferModelOptions.parse({}), createRng(1, 'fit'));
  const { arrays, tables } = offersToFiles(model);
  const draft = {
    name: 'offers' as const,
    version,
    createdAt: new Date(now).toISOString(),
    featureSchema,
    dataRange: { from: '2026-01-01T00:00:00.000Z', to: '2026-06-01T00:00:00.000Z' },
    parameters: {},
    metrics: {},
    backend: 'none',
    gate: { passed: false, reason: 'a fixture' },
  };
  await publishModel(modelsDir, draft, arrays, tables);
}

test('the version that a variant names is loaded, and kept from being removed', async () => {
  const modelsDir = await emptyFolder();
  await publishOfferModel(modelsDir, FEATURE_SCHEMA);
  const models = await loadTrialModels(modelsDir, policyTo(), 'policy.json', now);
  expect(models.offers.get(version)?.model.featureNames).toEqual(['x']);
  expect(await trialVersions(modelsDir, 'offers')).toEqual([version]);
});

test('one that was trained on other features is refused', async () => {
  const modelsDir = await emptyFolder();
  await publishOfferModel(modelsDir, 'of-another-build');
  await expect(loadTrialModels(modelsDir, policyTo(), 'policy.json', now)).rejects.toThrow(
    'trained on features of-another-build',
  );
});

test('a decision goes by the model of its variant, and says by which', () => {
  const served = { version: 'served' } as unknown as NonNullable<Models['offers']>;
  const other = { version } as unknown as NonNullable<Models['offers']>;
  const models: Models = {
    collaborative: undefined,
    churn: undefined,
    customerValue: undefined,
    offers: served,
    trials: { ...noTrials, offers: new Map([[version, other]]) },
  };
  const policy = policyTo();
  const market = makeMarket([], [], { policy, experiments: compileExperiments(policy) });
  const catalogue = { loaded: true } as never;
  const told = Array.from({ length: 20 }, (_, i) => {
    const subject = { customerId: CustomerId.parse(`c${i}`) };
    const request = {
      subject,
      channel: 'web' as const,
      placements: ['hero'],
      campaign: undefined,
      limit: 1,
      context: noContext,
    };
    const deps = { catalogue, models, now: () => now, random: () => 0 };
    const { experiment, modelVersions } = openDecision(request, undefined, [], market, deps).finish();
    return `${experiment?.variant} ${modelVersions.offers}`;
  });
  expect(new Set(told)).toEqual(new Set(['served served', `other ${version}`]));
});

test('a version that cannot be had stops the start, and says where it is named; that of an ended experiment does not', async () => {
  const modelsDir = await emptyFolder();
  await expect(loadTrialModels(modelsDir, policyTo(), 'policy.json', now)).rejects.toThrow(
    /policy\.json is not valid:\n {2}experiments\.0\.variants\.1\.offerModel: cannot be had/,
  );
  const ended = policyTo('2026-06-10T00:00:00Z');
  expect(await loadTrialModels(modelsDir, ended, 'policy.json', now)).toEqual(noTrials);
});

test('what makes no pages loads no collaborative model, and leaves word of those that others try', async () => {
  const modelsDir = await emptyFolder();
  const { version: triedVersion } = await publishShopModel(modelsDir);
  const policy = DecisionPolicy.parse({
    experiments: [
      {
        name: 'recommender',
        from: '2026-06-01T00:00:00Z',
        variants: [{ name: 'served' }, { name: 'other', collaborativeModel: triedVersion }],
      },
    ],
  });
  const read = async ({ manifest }: LoadedModel) => ({ asRead: manifest.version }) as never;
  const { collaborative } = await loadTrialModels(modelsDir, policy, 'policy.json', now, read);
  expect(collaborative.get(triedVersion)?.model).toEqual({ asRead: triedVersion });
  expect(await loadTrialModels(modelsDir, policy, 'policy.json', now)).toEqual(noTrials);
  expect(await trialVersions(modelsDir, 'collaborative')).toEqual([triedVersion]);
});

test('who is to be decided for by another offer model is; all else goes on following what is published', () => {
  const offerModel = (name: string) => ({ version: name }) as unknown as NonNullable<Models['offers']>;
  let served = offerModel('first');
  const following: Models = {
    collaborative: undefined,
    churn: undefined,
    customerValue: undefined,
    get offers() {
      return served;
    },
  };
  const models = withTrialModels(following, {
    ...noTrials,
    offers: new Map([[version, offerModel(version)]]),
  });
  const asServed = { offerModel: undefined, churnModel: undefined, valueModel: undefined };
  expect(modelsFor(models, asServed).offers?.version).toBe('first');
  served = offerModel('second');
  expect(modelsFor(models, asServed).offers?.version).toBe('second');
  expect(modelsFor(models, { ...asServed, offerModel: version }).offers?.version).toBe(version);
});
