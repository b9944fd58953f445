/** Pages whose records came with one reply are made one after the other, with looks at the network between. */
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { untriedPage } from '../../../src/offers/experiments.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { answerRecommendations } from '../../../src/serve/recommend/answer-page.ts';
import type { FoundPage } from '../../../src/serve/recommend/prepared-store.ts';
import { turnCounter } from '../../support/turn-counter.ts';

const page = { items: [], isCut: false, direction: undefined, categories: [], bought: [], segment: '' };
const shown = {
  items: [],
  modelVersion: '1',
  degradedBy: [],
  lasting: { until: 0, lookedAt: undefined },
};

/** The turns in which something was made of `found` for each of eight customers, whose records come in one turn. */
async function turnsOf(found: Pick<FoundPage, 'page'>): Promise<number[]> {
  const counter = turnCounter();
  const turns: number[] = [];
  let isThere = () => {};
  const reply = new Promise<void>((resolve) => {
    isThere = resolve;
  });
  const deps = {
    scenarios: new Map([['home', {}]]),
    pages: {
      served: {
        shown: { find: () => undefined, keep: () => {} },
        prepared: {
          find: async () => {
            await reply;
            return { stamp: 'stamp', record: () => undefined, keep: () => {}, ...found };
          },
        },
        recommender: {
          prepare: () => page,
          show: () => {
            turns.push(counter.turn);
            return shown;
          },
        },
      },
    },
    experiments: { pageSettingsFor: () => untriedPage('home') },
    itemsText: () => '[]',
    store: { reachable: true },
    metrics: createServeMetrics(new Registry()),
    now: Date.now,
  } as unknown as Deps;
  const answers = Array.from({ length: 8 }, (_, n) =>
    answerRecommendations(
      { customerId: `c${n}`, n: 5, scenario: 'home', itemId: [], exclude: [], explain: false } as never,
      `customerId=c${n}`,
      deps,
    ),
  );
  setImmediate(isThere);
  await Promise.all(answers);
  counter.stop();
  return turns;
}

test('those that are made anew', async () => {
  const turns = await turnsOf({ page: undefined });
  expect(turns).toHaveLength(8);
  expect(new Set(turns).size).toBe(8);
});

test('those that another process has prepared cost little, and do not wait for each other', async () => {
  expect(new Set(await turnsOf({ page })).size).toBe(1);
});
