/** The files of the protocols on pairs, as matrices over one numbering of users and items. */
import { type CsrMatrix, csrFromTriplets } from '../../algorithms/csr.ts';
import { UsageError } from '../../domain/errors.ts';
import { IdIndex } from '../input/id-index.ts';
import { readNegatives } from '../input/read-negatives.ts';
import { type Pairs, readPairs } from '../input/read-pairs.ts';
import { positionsOf } from './file-order.ts';
import type { PairData } from './pair-model.ts';
import { drawNegatives, type SampledCases } from './sampled-cases.ts';

/** Training pairs alone, as `tune` takes them. */
export async function readTraining(path: string): Promise<PairData> {
  const users = new IdIndex();
  const items = new IdIndex();
  return pairData(await readPairs(path, users, items), users, items);
}

/** The catalogue is every item of both files. */
export async function readFullRanking(
  trainPath: string,
  testPath: string,
): Promise<{ data: PairData; test: CsrMatrix }> {
  const { train, test, users, items } = await readSplit(trainPath, testPath);
  return {
    data: pairData(train, users, items),
    test: pairMatrix(test, users.size, items.size),
  };
}

/** Without a file of negatives they are drawn from the seed. */
export async function readSampled(
  trainPath: string,
  testPath: string,
  negativesPath: string | undefined,
  seed: number,
): Promise<{ data: PairData; cases: SampledCases }> {
  const { train, test, users, items } = await readSplit(trainPath, testPath);
  if (negativesPath !== undefined) {
    const cases = await readNegatives(negativesPath, test, users, items);
    return { data: pairData(train, users, items), cases };
  }
  const data = pairData(train, users, items);
  return { data, cases: drawNegatives(test, data.userItems, seed) };
}

/** Two files that number their users and items alike. */
async function readSplit(trainPath: string, testPath: string) {
  const users = new IdIndex();
  const items = new IdIndex();
  const train = await readPairs(trainPath, users, items);
  const known = users.size;
  const test = await readPairs(testPath, users, items);
  checkCommon(test, known, trainPath, testPath);
  return { train, test, users, items };
}

function pairData(pairs: Pairs, users: IdIndex, items: IdIndex): PairData {
  const userItems = pairMatrix(pairs, users.size, items.size);
  return { userItems, position: positionsOf(pairs, userItems, items.ids) };
}

/** Users × items with 1 for each pair, however often it is there. */
export function pairMatrix({ user, item }: Pairs, users: number, items: number): CsrMatrix {
  const ones = new Uint8Array(user.length).fill(1);
  const matrix = csrFromTriplets(users, items, { row: user, col: item, value: ones });
  matrix.data.fill(1);
  return matrix;
}

/** Files of different data sets, or with the columns the other way round, have no users in common. */
function checkCommon(test: Pairs, knownUsers: number, trainPath: string, testPath: string): void {
  if (test.user.some((user) => user < knownUsers)) return;
  throw new UsageError(
    `No user of ${testPath} is in ${trainPath}: are they of the same split, and is the user in the first column of both?`,
  );
}
