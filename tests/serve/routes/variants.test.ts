/** What a variant of an experiment may change, over HTTP; who is in which is in tests/offers/experiments.test.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DecisionPolicy, type DecisionPolicyInput } from '../../../src/domain/decision-policy.ts';
import { compileExperiments } from '../../../src/offers/experiments.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { publishShopChurnModel, publishShopModel, publishShopValueModel } from '../../support/shop-models.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
let policy: DecisionPolicyInput;
let modelsDir: string;
const tried = { churn: '', value: '' };

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-variants-'));
  await publishShopModel(modelsDir);
  tried.churn = (await publishShopChurnModel(modelsDir)).version;
  tried.value = (await publishShopValueModel(modelsDir)).version;
  // Those that are served.
  await publishShopChurnModel(modelsDir);
  await publishShopValueModel(modelsDir);
  const plain = { name: 'plain' };
  const from = '2026-06-01T00:00:00Z';
  policy = {
    controlGroupShare: 0.2,
    exploration: { method: 'none' },
    experiments: [
      {
        name: 'calm',
        from,
        variants: [plain, { name: 'tried', contact: { caps: [{ channels: ['web'], times: 1, days: 7 }] } }],
      },
      {
        name: 'weights',
        from,
        variants: [plain, { name: 'tried', economics: { marginWeight: 0.5, lifetimeValueWeight: 0.1 } }],
      },
      { name: 'bare', from, variants: [plain, { name: 'tried', fallback: false }] },
      {
        name: 'models',
        from,
        variants: [plain, { name: 'tried', churnModel: tried.churn, valueModel: tried.value }],
      },
    ],
  };
  service = await startTestService({ redisUrl, prefix, policy, env: { MODELS_DIR: modelsDir } });
  await service.call('POST', '/offers', [
    {
      offerId: 'keep',
      name: 'Stay',
      benefit: { kind: 'percentOff', percent: 1 },
      channels: ['web'],
      retention: true,
    },
    { offerId: 'news', name: 'News', benefit: { kind: 'content' }, channels: ['web'], fallback: true },
  ]);
  await eventually(async () => {
    const { body } = await decide('nobody', { dryRun: true });
    expect(body.excluded.length + body.placements[0].offers.length).toBe(1);
  });
});
afterAll(async () => {
  await service.close();
  await rm(modelsDir, { recursive: true });
});

const decide = (customerId: string, more: object = {}) =>
  service.call('POST', '/offers/decide', { customerId, channel: 'web', explain: true, ...more });

let last = 0;
/** A customer who has bought, is in the variant `tried` of these experiments alone, and is or is not in the control group. */
async function customerIn(...experiments: string[]): Promise<string> {
  const compiled = compileExperiments(DecisionPolicy.parse(policy));
  for (;;) {
    const customerId = `customer-${last++}`;
    const { experiment, furtherExperiments } = compiled.settingsFor(customerId, Date.now());
    const all = experiment === null ? [] : [experiment, ...furtherExperiments];
    const own = all.filter(({ variant }) => variant === 'tried').map(({ name }) => name);
    if (all.length === 0 || own.join() !== experiments.join()) continue;
    return await bought(customerId);
  }
}

async function bought(customerId: string): Promise<string> {
  const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 9000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  return customerId;
}

const offerOf = (body: { placements: { offers: { offerId: string }[] }[] }) =>
  body.placements[0]?.offers[0]?.offerId;

test('a cap that a variant adds holds for those in it, and is in the explanation', async () => {
  for (const [experiments, second] of [
    [[], 'keep'],
    [['calm'], 'news'],
  ] as const) {
    const customerId = await customerIn(...experiments);
    expect(offerOf((await decide(customerId, { campaign: 'one' })).body)).toBe('keep');
    const { body } = await decide(customerId, { campaign: 'two' });
    expect(offerOf(body)).toBe(second);
    expect(body.inputs.contacts.caps).toEqual(
      second === 'keep' ? [] : [{ channels: ['web'], times: 1, days: 7, counted: 1 }],
    );
    expect(body.excluded.map(({ reasonCode }: { reasonCode: string }) => reasonCode)).toEqual(
      second === 'keep' ? [] : ['contact-cap'],
    );
  }
});

test('a variant that weighs margin and remaining value otherwise values by that, in every term', async () => {
  const termsOf = async (...experiments: string[]) =>
    (await decide(await customerIn(...experiments), { dryRun: true })).body.placements[0].offers[0];
  const [plain, weighed] = [await termsOf(), await termsOf('weights')];
  expect(weighed.terms.marginMinor).toBeCloseTo(0.5 * plain.terms.marginMinor);
  expect(weighed.terms.remainingLifetimeValueMinor).toBeCloseTo(
    0.1 * plain.terms.remainingLifetimeValueMinor,
  );
  expect(weighed.terms.costWhenAcceptedMinor).toBe(plain.terms.costWhenAcceptedMinor);
  expect(weighed.expectedValue).toBeLessThan(plain.expectedValue);
});

test('where a variant shows no fallback, a place in which nothing is made stays empty', async () => {
  const nowhere = { context: { basketMinor: 1 } };
  await service.call('PUT', '/offers/keep', {
    name: 'Stay',
    benefit: { kind: 'percentOff', percent: 1 },
    channels: ['web'],
    retention: true,
    minBasketMinor: 100,
  });
  await eventually(async () =>
    expect(offerOf((await decide(await customerIn(), { ...nowhere, dryRun: true })).body)).toBe('news'),
  );
  const { body } = await decide(await customerIn('bare'), nowhere);
  expect(body.placements).toMatchObject([{ offers: [], fallback: false, loggingPropensity: 1 }]);
});

test('churn and value are those of the models that a variant names, and the answer names them', async () => {
  const { body: plain } = await decide(await customerIn(), { dryRun: true });
  const { body } = await decide(await customerIn('models'), { dryRun: true });
  expect(body.modelVersions).toMatchObject({ churn: tried.churn, 'customer-value': tried.value });
  expect(plain.modelVersions.churn).not.toBe(tried.churn);
  expect(plain.modelVersions['customer-value']).not.toBe(tried.value);
  expect(body.modelVersions.collaborative).toBe(plain.modelVersions.collaborative);
});

test('the control group is shown nothing at all, and the answer names it', async () => {
  const compiled = compileExperiments(DecisionPolicy.parse(policy));
  let n = 0;
  while (!compiled.controlGroup(`held-${n}`).member) n++;
  const customerId = await bought(`held-${n}`);
  const { body } = await decide(customerId);
  expect(body).toMatchObject({ controlGroup: true, fallback: false, experiment: null });
  expect(body.placements[0].offers).toEqual([]);
  expect(new Set(body.excluded.map(({ reasonCode }: { reasonCode: string }) => reasonCode))).toEqual(
    new Set(['control-group']),
  );
  const standing = await service.call('GET', `/customers/${customerId}/offers?channel=web`);
  expect(standing.body).toMatchObject({ controlGroup: true, placements: [{ offers: [] }] });
  expect((await decide(await customerIn())).body.controlGroup).toBeUndefined();
});

test.each([
  [{ minGapHours: 6 }, 'contact.minGapHours', "must not be below the policy's 12"],
  [{ dismissals: { suppressDays: 1 } }, 'contact.dismissals.suppressDays', "below the policy's 30"],
  [{ lowRating: { days: 0 } }, 'contact.lowRating.days', "below the policy's 14"],
  [{ oneDiscountAtATime: false }, 'contact.oneDiscountAtATime', 'must not be false'],
])('a variant that would protect less than the policy (%j) is refused', (contact, path, message) => {
  const variants = [{ name: 'plain' }, { name: 'loose', contact }];
  const { error } = DecisionPolicy.safeParse({
    experiments: [{ name: 'e', from: '2026-06-01T00:00:00Z', variants }],
  });
  expect(error?.issues).toHaveLength(1);
  expect(error?.issues[0]?.path.join('.')).toBe(`experiments.0.variants.1.${path}`);
  expect(error?.issues[0]?.message).toContain(message);
});
