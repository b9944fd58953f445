/** The call of every page view waits for Redis once, whatever is there of its page. */
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { EventInput } from '../../../src/domain/event.ts';
import { CustomerId } from '../../../src/domain/ids.ts';
import { untriedPage } from '../../../src/offers/experiments.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { acceptEvents } from '../../../src/serve/events/accept-events.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { answerRecommendations } from '../../../src/serve/recommend/answer-page.ts';
import { createItemsText } from '../../../src/serve/recommend/page-text.ts';
import { createPreparedStore } from '../../../src/serve/recommend/prepared-store.ts';
import { createRecommender } from '../../../src/serve/recommend/recommender.ts';
import { loadScenarios } from '../../../src/serve/recommend/scenarios.ts';
import { createShownPages } from '../../../src/serve/recommend/shown-pages.ts';
import { decideDeps } from '../../support/decide-deps.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { roundTrips } from '../../support/round-trips.ts';
import { shopItems, shopModel } from '../../support/shop-models.ts';

const { redis, keys } = testRedis();
const now = Date.now;
const collaborative = { version: 'v1', manifest: {}, model: shopModel() } as never;
const models = { collaborative, churn: undefined, customerValue: undefined, offers: undefined };
const triedVersion = '20260601T030000Z-00000001';
const triedModel = { collaborative: { version: triedVersion, manifest: {}, model: shopModel() } as never };
const shop = decideDeps(redis, keys, { offers: [], items: shopItems, models, now });

/** A process of its own: what it has shown is its own, what it prepares is in Redis. */
function startProcess(isTried = () => false) {
  const newItems = { current: undefined };
  const registry = new Registry();
  const pagesOf = (by: typeof triedModel) => ({
    recommender: createRecommender(by, shop.catalogue, newItems),
    prepared: createPreparedStore(redis, keys, shop.records, by),
    shown: createShownPages(by, newItems, shop.catalogue),
  });
  let modelVersion = '';
  const deps = {
    ...shop,
    scenarios: new Map(loadScenarios(undefined)),
    experiments: {
      pageSettingsFor: () => ({
        ...untriedPage('home'),
        collaborativeModel: isTried() ? triedVersion : undefined,
      }),
    },
    pages: { served: pagesOf(models), tried: new Map([[triedVersion, pagesOf(triedModel)]]) },
    itemsText: createItemsText(shop.catalogue),
    store: { reachable: true },
    metrics: createServeMetrics(registry),
    log: silentLog,
  } as unknown as Deps;
  return {
    ask: async (customerId: CustomerId) => {
      let items = 0;
      const query = { customerId, n: 5, scenario: 'home', itemId: [], exclude: [], explain: false };
      const trips = await roundTrips(redis, async () => {
        const answer = await answerRecommendations(query as never, `customerId=${customerId}&n=5`, deps);
        const page = JSON.parse(answer.text.toString());
        items = page.items.length;
        modelVersion = page.modelVersion;
      });
      expect(items).toBe(5);
      return trips;
    },
    /** Of the last answer. */
    get modelVersion() {
      return modelVersion;
    },
    /** How many pages came from there. */
    pagesFrom: async (from: string) =>
      Number(new RegExp(`pages_total\\{from="${from}"\\} (\\d+)`).exec(await registry.metrics())?.[1]),
  };
}

test.each([
  ['a customer who is known', true],
  ['a customer of whom nothing is known', false],
])('a page that is made, shown again, and prepared by another process, for %s', async (_who, isKnown) => {
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  const lines = [{ itemId: 'tea-0', quantity: 1, unitPriceMinor: 500 }];
  const bought = EventInput.parse({ type: 'purchase', customerId, lines });
  const accepting = {
    ...shop,
    tombstones: nobodyErased(keys),
    config: { streamMaxLength: 1e6, currency: 'EUR' },
    log: silentLog,
  };
  if (isKnown) await acceptEvents([bought], accepting);

  const one = startProcess();
  expect(await one.ask(customerId)).toHaveLength(1);
  expect(await one.pagesFrom('made')).toBe(1);
  expect(await one.ask(customerId)).toHaveLength(1);
  expect(await one.pagesFrom('shown')).toBe(1);
  const other = startProcess();
  expect(await other.ask(customerId)).toHaveLength(1);
  // Nothing is prepared for whoever has no record.
  expect(await other.pagesFrom(isKnown ? 'prepared' : 'made')).toBe(1);
});

test('a page by a model that is tried takes one look, too, and is not shown again when the experiment is over', async () => {
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  let isTried = true;
  const process = startProcess(() => isTried);
  for (const from of ['made', 'shown']) {
    expect(await process.ask(customerId)).toHaveLength(1);
    expect(await process.pagesFrom(from)).toBe(1);
    expect(process.modelVersion).toBe(triedVersion);
  }
  isTried = false;
  expect(await process.ask(customerId)).toHaveLength(1);
  expect(process.modelVersion).toBe('v1');
  expect(await process.pagesFrom('made')).toBe(2);
  isTried = true;
  await process.ask(customerId);
  expect(process.modelVersion).toBe(triedVersion);
  expect(await process.pagesFrom('shown')).toBe(2);
});
