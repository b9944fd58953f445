/** The files of the protocols on pairs, as matrices over one numbering of users and items. */
import { type CsrMatrix, csrFromTriplets } from '../../algorithms/csr.ts';
import { UsageError } from '../../domain/errors.ts';
import { IdIndex } from '../input/id-index.ts';
import { readNegatives } from '../input/read-negatives.ts';
import { type Pairs, readPairs } from '../input/read-pairs.ts';
import { drawNegatives, type SampledCases } from './sampled-cases.ts';

/** Training pairs alone, as `tune` takes them. */
export async function readTraining(path: string): Promise<CsrMatrix> {
  const users = new IdIndex();
  const items = new IdIndex();
  return pairMatrix(await readPairs(path, users, items), users.size, items.size);
}

/** The catalogue is every item of both files. */
export async function readFullRanking(
  trainPath: string,
  testPath: string,
): Promise<{ userItems: CsrMatrix; test: CsrMatrix }> {
  const users = new IdIndex();
  const items = new IdIndex();
  const train = await readPairs(trainPath, users, items);
  const known = users.size;
  const test = await readPairs(testPath, users, items);
  checkCommon(test, known, trainPath, testPath);
  return {
    userItems: pairMatrix(train, users.size, items.size),
    test: pairMatrix(test, users.size, items.size),
  };
}

/** Without a file of negatives they are drawn from the seed. */
export async function readSampled(
  trainPath: string,
  testPath: string,
  negativesPath: string | undefined,
  seed: number,
): Promise<{ userItems: CsrMatrix; cases: SampledCases }> {
  const users = new IdIndex();
  const items = new IdIndex();
  const train = await readPairs(trainPath, users, items);
  const known = users.size;
  const test = await readPairs(testPath, users, items);
  checkCommon(test, known, trainPath, testPath);
  if (negativesPath !== undefined) {
    const cases = await readNegatives(negativesPath, test, users, items);
    return { userItems: pairMatrix(train, users.size, items.size), cases };
  }
  const userItems = pairMatrix(train, users.size, items.size);
  return { userItems, cases: drawNegatives(test, userItems, seed) };
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
