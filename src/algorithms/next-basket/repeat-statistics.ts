/** What the whole log says of an item, and of buying again. */
import { type BasketLog, basketCount, basketOfAge, basketShares } from './basket-log.ts';

export type RepeatStatistics = {
  /** By item: share of all baskets that hold it. */
  share: Float32Array;
  /** By item: share of users' last baskets that hold it, with 20 baskets of `share` added: what sells of late. */
  recentShare: Float32Array;
  /** By item: chance that a user who ever bought it has it in a later basket, with 10 baskets of all items' chance added. */
  repeatChance: Float32Array;
  /** By baskets since the last purchase (0: the basket before; capped at the end): chance that an item is in this basket. */
  chanceByAge: Float32Array;
};

export const ageMax = 39;
const sharePrior = 20;
const repeatPrior = 10;

/** Chances over every basket but a user's first; a basket counts once for each item that the user bought before it. */
export function repeatStatistics(log: BasketLog): RepeatStatistics {
  const { users, items } = log;
  const inLast = new Float64Array(items);
  const repeats = new Float64Array(items);
  const chances = new Float64Array(items);
  const repeatsByAge = new Float64Array(ageMax + 1);
  const chancesByAge = new Float64Array(ageMax + 1);
  const boughtIn = new Int32Array(items).fill(-1);
  const isNow = new Uint8Array(items);
  let lastBaskets = 0;
  for (let u = 0; u < users; u++) {
    const baskets = basketCount(log, u);
    const known: number[] = [];
    for (let n = 0; n < baskets; n++) {
      const basket = basketOfAge(log, u, baskets - 1 - n);
      for (const i of basket) isNow[i] = 1;
      for (const i of known) {
        const age = Math.min(ageMax, n - 1 - boughtIn[i]!);
        chances[i]!++;
        chancesByAge[age]!++;
        repeats[i]! += isNow[i]!;
        repeatsByAge[age]! += isNow[i]!;
      }
      for (const i of basket) {
        if (boughtIn[i] === -1) known.push(i);
        boughtIn[i] = n;
        isNow[i] = 0;
      }
    }
    for (const i of known) boughtIn[i] = -1;
    if (baskets === 0) continue;
    lastBaskets++;
    for (const i of basketOfAge(log, u, 0)) inLast[i]!++;
  }
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const overall = sum(repeats) / Math.max(1, sum(chances));
  const share = basketShares(log);
  return {
    share,
    recentShare: Float32Array.from(
      inLast,
      (count, i) => (count + sharePrior * share[i]!) / (lastBaskets + sharePrior),
    ),
    repeatChance: Float32Array.from(
      repeats,
      (count, i) => (count + repeatPrior * overall) / (chances[i]! + repeatPrior),
    ),
    chanceByAge: Float32Array.from(
      repeatsByAge,
      (count, age) => (count + repeatPrior * overall) / (chancesByAge[age]! + repeatPrior),
    ),
  };
}
