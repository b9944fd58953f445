import { expect, test } from 'vitest';
import { OWN_COLUMN } from '../../../src/algorithms/ranker/features.ts';
import { fitRanker } from '../../../src/train/collaborative/fit-ranker.ts';
import { Judged } from '../../../src/train/collaborative/quality.ts';
import { judgeRanker, type RankerWindow } from '../../../src/train/collaborative/ranker-samples.ts';
import { samplesWhere } from '../../algorithms/ranker/samples.ts';
import { silentLog } from '../../support/redis.ts';

/** Rank fusion that finds each thing that was bought, or none. */
function fused(recall: 0 | 1): Judged {
  const judged = new Judged();
  for (let n = 0; n < 40; n++) judged.add(recall === 1 ? [n] : [], new Set([n]));
  return judged;
}

function windowWhere(rule: (row: Float32Array) => boolean, recall: 0 | 1 = 0, customers = 300): RankerWindow {
  return {
    learning: samplesWhere(rule, customers, 1),
    choosing: samplesWhere(rule, customers / 4, 2),
    fused: fused(recall),
  };
}

test('what adds up is left to the linear ranker, what two features say together to the network', async () => {
  const additive = (row: Float32Array) => row[3]! + row[5]! > 1.5;
  const together = (row: Float32Array) => row[3]! > 0.7 !== row[5]! > 0.7 && row[OWN_COLUMN] === 1;
  const linear = await fitRanker([windowWhere(additive)], 1, silentLog);
  expect(linear.choice).toMatch(
    /^the linear ranker by the mean .*: linear .*, network .*, rank fusion 0\.0000$/,
  );
  expect(linear.ranker?.kind).toBe('linear');
  const network = await fitRanker([windowWhere(together, 0, 1200)], 1, silentLog);
  expect(network.ranker?.kind).toBe('network');
  expect(network.backend).toMatch(/^tfjs-/);
  // Chosen on some, learned again from all: on others it ranks too.
  const unseen = samplesWhere(together, 100, 3);
  expect(judgeRanker(network.ranker!, unseen).mean().ndcgAt10).toBeGreaterThan(
    judgeRanker(linear.ranker!, unseen).mean().ndcgAt10 + 0.1,
  );
});

test('where rank fusion is as good, or too few customers could tell, there is no ranker, and it says why', async () => {
  const rule = (row: Float32Array) => row[3]! > 0.9;
  const beaten = await fitRanker([windowWhere(rule, 1, 160)], 1, silentLog);
  expect(beaten.ranker).toBeUndefined();
  expect(beaten.choice).toMatch(/^rank fusion by the mean .* rank fusion 1\.0000$/);
  const few = await fitRanker([windowWhere(rule, 0, 16)], 1, silentLog);
  expect(few.ranker).toBeUndefined();
  expect(few.choice).toMatch(/^rank fusion, for there are \d+ customers .* of at least 60 and 20$/);
  expect((await fitRanker([], 1, silentLog)).ranker).toBeUndefined();
});
