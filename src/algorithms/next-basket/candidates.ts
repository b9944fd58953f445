/** The items that a user may buy next, each with what every source says of it: the rows that the blend is learned from. */
import { topK } from '../top-k.ts';
import { type BasketLog, basketOfAge } from './basket-log.ts';
import { addRow, decayedFrequency, groupDecayWeight } from './decayed-frequency.ts';
import { nextBasketLinks, sameUserLinks } from './item-links.ts';
import { ageMax, repeatStatistics } from './repeat-statistics.ts';
import { createNeighbourMean } from './tifu-knn.ts';
import { createUpCf } from './up-cf.ts';
import { createUserPast, readUserPast } from './user-past.ts';

export type CandidateOptions = {
  /** Items that each source may put up, besides all that the user bought before. */
  perSource: number;
  /** Users whose vectors are averaged (TIFU-KNN), and twice as many that are summed up by similarity (UP-CF). */
  neighbours: number;
  /** Decay of a basket beside the next younger one, in the vectors that are compared. */
  basketDecay: number;
};

/** Names of the features, in the order of a row. Ages are in baskets, 0 the last one. */
export const CANDIDATE_FEATURES = [
  // The user's own purchases of the item.
  'ownFrequency',
  'ownRecentFrequency',
  'ownShare',
  'count',
  'age',
  'firstAge',
  'previousGap',
  'gapRatio',
  // Other users, and other items.
  'neighbourMean',
  'neighbourRank',
  'userCf',
  'userCfRank',
  'nextLink',
  'nextLinkOfLast',
  'sameUserLink',
  // The item by itself.
  'share',
  'recentShare',
  'trend',
  'repeatChance',
  'chanceOfAge',
  // The user, whoever the item.
  'baskets',
  'meanBasketItems',
  'distinctItems',
  'repeatShare',
] as const;

export type Candidates = {
  /** Items; the first `size` are valid. */
  readonly item: Int32Array;
  /** candidates × features. */
  values: Float32Array;
  size: number;
};

/** Stands for the age of what was never bought. */
const neverAge = 2 * (ageMax + 1);
/** Baskets back to which next-basket links are followed, each at half the weight of the younger one. */
const linkedBaskets = 4;

/** Finds the candidates of a user. Owns its memory: a call overwrites what the last one answered. */
export type FindCandidates = (user: number) => Candidates;

export function createCandidates(log: BasketLog, options: CandidateOptions): FindCandidates {
  const { items } = log;
  const { perSource, neighbours, basketDecay } = options;
  const statistics = repeatStatistics(log);
  const vectors = decayedFrequency(
    log,
    groupDecayWeight({ withinDecay: basketDecay, groupDecay: basketDecay, groupSize: 1 }),
  );
  const recentVectors = decayedFrequency(log, (age) => 0.6 ** age);
  const addNeighbours = createNeighbourMean(vectors, neighbours);
  const addUserCf = createUpCf(log, {
    recentBaskets: 5,
    asymmetry: 0.75,
    locality: 2,
    neighbours: 2 * neighbours,
    includeSelf: false,
  });
  const nextLinks = nextBasketLinks(log, { links: 200, shrinkage: 10 });
  const userLinks = sameUserLinks(log, { links: 200, shrinkage: 5 });
  const popular = topK(statistics.recentShare, perSource).indices;

  const dense = () => new Float32Array(items);
  const own = dense();
  const ownRecent = dense();
  const neighbour = dense();
  const userCf = dense();
  const next = dense();
  const nextOfLast = dense();
  const sameUser = dense();
  const rows = [own, ownRecent, neighbour, userCf, next, nextOfLast, sameUser];
  const neighbourRank = new Int32Array(items);
  const userCfRank = new Int32Array(items);
  const past = createUserPast(items);
  const isCandidate = new Uint8Array(items);
  const width = CANDIDATE_FEATURES.length;
  const found: Candidates = { item: new Int32Array(items), values: new Float32Array(0), size: 0 };

  const scoreSources = (user: number) => {
    for (const row of rows) row.fill(0);
    addRow(vectors, user, 1, own);
    addRow(recentVectors, user, 1, ownRecent);
    addNeighbours(user, 1, neighbour);
    addUserCf(user, 1, userCf);
    for (let age = 0; age < Math.min(linkedBaskets, past.baskets); age++) {
      const basket = basketOfAge(log, user, age);
      for (const i of basket) {
        addRow(nextLinks, i, 0.5 ** age / basket.length, next);
        if (age === 0) addRow(nextLinks, i, 1 / basket.length, nextOfLast);
      }
    }
    for (const i of past.bought) addRow(userLinks, i, ownRecent[i]!, sameUser);
  };
  const put = (i: number) => {
    if (isCandidate[i] === 1) return;
    isCandidate[i] = 1;
    found.item[found.size++] = i;
  };
  /** Puts up a source's best, whose ranks from 1 on are noted; all others stay unranked. */
  const putBest = (scores: Float32Array, ranks?: Int32Array) => {
    const best = topK(scores, perSource, (i) => scores[i]! > 0).indices;
    ranks?.fill(perSource + 1);
    best.forEach((i, n) => {
      put(i);
      if (ranks !== undefined) ranks[i] = n + 1;
    });
  };

  return (user) => {
    for (let c = 0; c < found.size; c++) isCandidate[found.item[c]!] = 0;
    found.size = 0;
    readUserPast(log, user, past);
    scoreSources(user);
    for (const i of past.bought) put(i);
    putBest(neighbour, neighbourRank);
    putBest(userCf, userCfRank);
    putBest(next);
    putBest(sameUser);
    for (const i of popular) put(i);
    if (found.values.length < found.size * width) found.values = new Float32Array(2 * found.size * width);
    const { values } = found;
    const { baskets, purchases, repeats, firstBasketItems, count, age, firstAge, previousAge } = past;
    const meanBasketItems = purchases / Math.max(1, baskets);
    // Two purchases at one repeat in five, until there are some to go by.
    const repeatShare = (repeats + 0.4) / (purchases - firstBasketItems + 2);
    let at = 0;
    for (let c = 0; c < found.size; c++) {
      const i = found.item[c]!;
      const times = count[i]!;
      const isOwn = times > 0;
      const usualGap = times > 1 ? (firstAge[i]! - age[i]!) / (times - 1) : 0;
      values[at++] = own[i]!;
      values[at++] = ownRecent[i]!;
      values[at++] = times / Math.max(1, baskets);
      values[at++] = times;
      values[at++] = isOwn ? Math.min(ageMax, age[i]!) : neverAge;
      values[at++] = isOwn ? Math.min(ageMax, firstAge[i]!) : neverAge;
      values[at++] = times > 1 ? previousAge[i]! - age[i]! : 0;
      values[at++] = times > 1 ? (age[i]! + 1) / usualGap : isOwn ? -1 : -2;
      values[at++] = neighbour[i]!;
      values[at++] = neighbourRank[i]!;
      values[at++] = userCf[i]!;
      values[at++] = userCfRank[i]!;
      values[at++] = next[i]!;
      values[at++] = nextOfLast[i]!;
      values[at++] = sameUser[i]!;
      values[at++] = statistics.share[i]!;
      values[at++] = statistics.recentShare[i]!;
      values[at++] = statistics.recentShare[i]! / (statistics.share[i]! + 1e-5);
      values[at++] = statistics.repeatChance[i]!;
      values[at++] = isOwn ? statistics.chanceByAge[Math.min(ageMax, age[i]!)]! : 0;
      values[at++] = baskets;
      values[at++] = meanBasketItems;
      values[at++] = past.bought.length;
      values[at++] = repeatShare;
    }
    return found;
  };
}
