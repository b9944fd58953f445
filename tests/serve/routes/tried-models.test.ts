/** Experiments that try a version of the collaborative model, over HTTP, in both lanes. */
import { access, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CollaborativeModel } from '../../../src/algorithms/collaborative-model.ts';
import { DecisionPolicy, type DecisionPolicyInput } from '../../../src/domain/decision-policy.ts';
import { compileExperiments } from '../../../src/offers/experiments.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { publishShopModel } from '../../support/shop-models.ts';

const { url: redisUrl, prefix } = testRedis();
let folder: string;
let modelsDir: string;
let triedVersion: string;
let servedVersion: string;
let policy: DecisionPolicyInput;
/** Two processes with the experiment, one of either lane; and one without it that serves what the others try. */
let hot: TestService;
let express: TestService;
let other: TestService;

/** Another taste, and another index of every item: what is last in the one is first in the other. */
function turnedRound(model: CollaborativeModel): CollaborativeModel {
  const itemIds = [...model.itemIds].reverse();
  return { ...model, itemIds, itemIndex: new Map(itemIds.map((id, i) => [id, i])) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-tried-'));
  modelsDir = join(folder, 'models');
  triedVersion = (await publishShopModel(modelsDir, turnedRound)).version;
  servedVersion = (await publishShopModel(modelsDir)).version;
  policy = policyOf(triedVersion);
  const env = { MODELS_DIR: modelsDir };
  hot = await startTestService({ redisUrl, prefix, policy, env });
  express = await startTestService({ redisUrl, prefix, policy, env, hotLane: false });
  const otherDir = join(folder, 'other');
  await publishShopModel(otherDir, turnedRound);
  other = await startTestService({ redisUrl, prefix, env: { MODELS_DIR: otherDir } });
});
afterAll(async () => {
  for (const service of [hot, express, other]) await service.close();
  await rm(folder, { recursive: true });
});

function policyOf(collaborativeModel: string): DecisionPolicyInput {
  const variants = [{ name: 'served' }, { name: 'turned', collaborativeModel }];
  return { experiments: [{ name: 'model', from: '2026-06-01T00:00:00Z', variants }] };
}

let last = 0;
/** A new customer, or visit, of this variant. */
function someoneIn(variant: string, idOf = (n: number) => `someone-${n}`): string {
  const { pageSettingsFor } = compileExperiments(DecisionPolicy.parse(policy));
  for (;;) {
    const id = idOf(last++);
    if (pageSettingsFor(id, 'home', Date.now()).experiment?.variant === variant) return id;
  }
}

async function buys(customerId: string, itemId: string): Promise<void> {
  const lines = [{ itemId, quantity: 1, unitPriceMinor: 500 }];
  expect((await hot.call('POST', '/events', { type: 'purchase', customerId, lines })).status).toBe(202);
}

async function ask(service: TestService, query: string) {
  const { status, body } = await service.call('GET', `/recommendations?n=6&explain=true&${query}`);
  expect(status).toBe(200);
  return body;
}

/** How many pages this process has made, found prepared, and shown again. */
async function pagesOf(service: TestService) {
  const { text } = await service.call('GET', '/metrics');
  const count = (from: string) =>
    Number(new RegExp(`nextbest_serve_pages_total\\{from="${from}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  return { made: count('made'), prepared: count('prepared'), shown: count('shown') };
}

async function fromWhere(service: TestService, query: string): Promise<string[]> {
  const before = await pagesOf(service);
  await ask(service, query);
  const after = await pagesOf(service);
  return (['made', 'prepared', 'shown'] as const).filter((from) => after[from] > before[from]);
}

test.each(['home', 'product', 'cart', 'category', 'email', 'confirmation', 'popular'])(
  'whoever is in the variant is shown by its model what a service would show that serves it, in both lanes, in %s',
  async (scenario) => {
    const [plain, turned] = [someoneIn('served'), someoneIn('turned')];
    for (const customerId of [plain, turned]) await buys(customerId, 'tea-4');
    const page = `&scenario=${scenario}&itemId=coffee-3${scenario === 'category' ? '&category=tea' : ''}`;
    for (const service of [hot, express]) {
      const tried = await ask(service, `customerId=${turned}${page}`);
      expect(tried).toMatchObject({
        modelVersion: triedVersion,
        experiment: { name: 'model', variant: 'turned' },
      });
      expect(tried.items).toHaveLength(6);
      expect(tried.items).toEqual((await ask(other, `customerId=${turned}${page}`)).items);
      const served = await ask(service, `customerId=${plain}${page}`);
      expect(served).toMatchObject({
        modelVersion: servedVersion,
        experiment: { name: 'model', variant: 'served' },
      });
      expect(served.items).not.toEqual((await ask(other, `customerId=${plain}${page}`)).items);
    }
  },
);

test('a purchase changes the next page of either variant, by its own model', async () => {
  for (const variant of ['served', 'turned']) {
    const customerId = someoneIn(variant);
    await buys(customerId, 'tea-4');
    const before = await ask(hot, `customerId=${customerId}`);
    await buys(customerId, 'coffee-2');
    const after = await ask(hot, `customerId=${customerId}`);
    expect(after.items).not.toEqual(before.items);
    expect(after.modelVersion).toBe(before.modelVersion);
    const asOther = (await ask(other, `customerId=${customerId}`)).items;
    if (variant === 'turned') expect(after.items).toEqual(asOther);
    else expect(after.items).not.toEqual(asOther);
  }
});

test('guests and customers of whom nothing is known are shown what sells best by the model of their variant', async () => {
  const firstOf = async (query: string) => (await ask(hot, `scenario=popular&${query}`)).items[0].itemId;
  expect(await firstOf(`customerId=${someoneIn('served')}`)).toBe('coffee-0');
  const turned = await firstOf(`customerId=${someoneIn('turned')}`);
  expect(turned).toBe('tea-9');
  const visit = someoneIn('turned', (n) => `session:visit-${n}`).slice('session:'.length);
  expect(await firstOf(`sessionId=${visit}`)).toBe(turned);
  // Nobody in particular is in no experiment.
  expect(await ask(hot, '')).toMatchObject({ modelVersion: servedVersion, experiment: null });
});

test('a page that was prepared or shown by one model is never shown to whom the other serves', async () => {
  const [plain, turned] = [someoneIn('served'), someoneIn('turned')];
  for (const customerId of [plain, turned]) await buys(customerId, 'tea-4');
  // A process that has no experiment serves both of them by the same model, and prepares and shows their pages.
  // With files of its own: whoever starts says anew which versions are tried.
  const env = { MODELS_DIR: join(folder, 'without') };
  await cp(modelsDir, env.MODELS_DIR, { recursive: true });
  const without = await startTestService({ redisUrl, prefix, env });
  try {
    for (const id of [plain, turned]) {
      expect((await ask(without, `customerId=${id}`)).modelVersion).toBe(servedVersion);
      // It has to be made anew where the factors of new items have just come.
      await eventually(async () => expect(await fromWhere(without, `customerId=${id}`)).toEqual(['shown']));
    }
    await eventually(async () => {
      const again = await startTestService({ redisUrl, prefix, env });
      try {
        expect(await fromWhere(again, `customerId=${turned}`)).toEqual(['prepared']);
      } finally {
        await again.close();
      }
    });
    expect(await fromWhere(hot, `customerId=${plain}`)).toEqual(['prepared']);
    expect(await fromWhere(hot, `customerId=${turned}`)).toEqual(['made']);
    const shown = await ask(hot, `customerId=${turned}`);
    expect(shown.modelVersion).toBe(triedVersion);
    expect(shown.items).toEqual((await ask(other, `customerId=${turned}`)).items);
    // What the variant's model has prepared is found by other processes that try it, and by no other.
    await eventually(async () => {
      const again = await startTestService({ redisUrl, prefix, policy, env: { MODELS_DIR: modelsDir } });
      try {
        expect(await fromWhere(again, `customerId=${turned}`)).toEqual(['prepared']);
        expect((await ask(again, `customerId=${turned}`)).items).toEqual(shown.items);
      } finally {
        await again.close();
      }
    });
    expect((await ask(without, `customerId=${turned}`)).items).not.toEqual(shown.items);
  } finally {
    await without.close();
  }
});

test('decisions on offers and pages of items go by the model that is served', async () => {
  const customerId = someoneIn('turned');
  const { body } = await hot.call('POST', '/offers/decide', { customerId, channel: 'web', dryRun: true });
  expect(body.modelVersions.collaborative).toBe(servedVersion);
  expect(body.experiment).toBeNull();
  const similar = await hot.call('GET', '/items/tea-1/similar');
  expect(similar.body.modelVersion).toBe(servedVersion);
});

test('what is published meanwhile is served to all others, and the version that is tried is not removed', async () => {
  const [plain, turned] = [someoneIn('served'), someoneIn('turned')];
  let newest = '';
  // More than are kept.
  for (let n = 0; n < 40; n++) newest = (await publishShopModel(modelsDir)).version;
  await expect(access(join(modelsDir, 'collaborative', servedVersion))).rejects.toThrow('ENOENT');
  for (const service of [hot, express])
    await eventually(async () =>
      expect((await ask(service, `customerId=${plain}`)).modelVersion).toBe(newest),
    );
  expect((await ask(hot, `customerId=${turned}`)).modelVersion).toBe(triedVersion);
  // Also whoever starts now finds it.
  const later = await startTestService({ redisUrl, prefix, policy, env: { MODELS_DIR: modelsDir } });
  try {
    expect((await ask(later, `customerId=${turned}`)).modelVersion).toBe(triedVersion);
    expect((await ask(later, `customerId=${plain}`)).modelVersion).toBe(newest);
  } finally {
    await later.close();
  }
});

test('a version that there is not, or that is damaged, stops the start, and the fault says where and what to do', async () => {
  const start = (version: string) =>
    startTestService({ redisUrl, prefix, policy: policyOf(version), env: { MODELS_DIR: modelsDir } });
  const place = /experiments\.0\.variants\.1\.collaborativeModel: cannot be had: .*nextbest models list/;
  await expect(start('20200101T000000Z-00000000')).rejects.toThrow(place);
  const damaged = (await publishShopModel(modelsDir)).version;
  await writeFile(join(modelsDir, 'collaborative', damaged, 'itemFactors.bin'), 'damaged');
  await expect(start(damaged)).rejects.toThrow(place);
});
