/** The next-basket protocol. */

import type { BasketLog } from '../../algorithms/next-basket/basket-log.ts';
import { UsageError } from '../../domain/errors.ts';
import { readBasketFiles, readBasketLog } from '../input/read-baskets.ts';
import type { Protocol } from '../protocol.ts';
import { holdOutLastBaskets } from './hold-out.ts';
import { judgeNextBasket } from './judge.ts';
import { NEXT_BASKET_MODELS } from './models.ts';
import type { NextBasketScorer } from './next-basket-model.ts';

/** Li et al., "A next basket recommendation reality check", TOIS 2023. */
export const nextBasket: Protocol<BasketLog, NextBasketScorer> = {
  metrics: ['recallAt10', 'ndcgAt10', 'phrAt10'],
  models: NEXT_BASKET_MODELS,
  combinations: () => [],
  readTask: async ({ train, test }) => {
    const { history, truth } = await readBasketFiles(train, test);
    return {
      data: history,
      summary: `${sizeOf(history)}; ${truth.user.length.toLocaleString('en')} baskets to foretell`,
      judge: async (scorer) => judgeNextBasket(scorer, truth, history.items),
    };
  },
  readValidation: async (historyPath) => {
    const { history, truth } = holdOutLastBaskets(await readBasketLog(historyPath));
    if (truth.user.length === 0)
      throw new UsageError(
        `${historyPath}: no user has two baskets; there is nothing to hold out for validation.`,
      );
    return {
      data: history,
      summary: `${sizeOf(history)}; ${truth.user.length.toLocaleString('en')} baskets held out`,
      judge: async (scorer) => judgeNextBasket(scorer, truth, history.items),
    };
  },
};

function sizeOf({ users, items, basketItems }: BasketLog): string {
  const [u, i, b] = [users, items, basketItems.length - 1].map((count) => count.toLocaleString('en'));
  return `${u} users, ${i} items, ${b} baskets`;
}
