import { expect, test } from 'vitest';
import {
  type BudgetEntryState,
  budgetEntryLua,
  isOut,
  parseBudgetEntry,
  writeBudgetEntry,
} from '../../../src/decide/ledger/budget-entry.ts';
import { redisScript } from '../../../src/infra/redis-script.ts';
import { testRedis } from '../../support/redis.ts';

const { redis, prefix } = testRedis();
const STATES: BudgetEntryState[] = ['reserved', 'payable', 'confirmed', 'unbudgeted'];

test('an entry reads back as it was written, here and in the scripts', async () => {
  const inLua = redisScript(`${budgetEntryLua}
local state, period, cost = parse(ARGV[1])
return {written(state, period, cost), isOut(state) and 1 or 0}`);
  const texts = new Set<string>();
  for (const state of STATES)
    for (const [period, costMinor] of [
      ['total', 0],
      ['week:2026-11-23', 99_999_999_999_999],
    ] as const) {
      const entry = { state, period, costMinor };
      const text = writeBudgetEntry(entry);
      texts.add(text);
      expect(parseBudgetEntry(text)).toEqual(entry);
      const [again, out] = (await inLua(redis, [prefix], [text])) as [Buffer, number];
      expect([String(again), out === 1]).toEqual([text, isOut(entry)]);
    }
  expect(texts.size).toBe(8);
});

test('what is no entry is none', () => {
  for (const text of [null, '', 'r total', 'x total 5', 'r  5', 'r total -5', 'r total 1e15'])
    expect(parseBudgetEntry(text)).toBeUndefined();
});
