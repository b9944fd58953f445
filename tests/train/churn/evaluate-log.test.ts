/** On customers drawn by the models' own assumptions, and with what these do not know. */
import { beforeAll, expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import type { TransactionLog } from '../../../src/evaluation/customer-base/transaction-log.ts';
import {
  CHURN_MODELS,
  type ChurnEvaluation,
  evaluateChurnLog,
} from '../../../src/train/churn/evaluate-log.ts';
import { learnDefaults } from '../../../src/train/churn/learn.ts';
import { loadTensorFlow, type TensorFlow } from '../../../src/train/tensorflow.ts';
import { silentLog } from '../../support/redis.ts';

const options = { ...learnDefaults, folds: 2, rowsMax: 8000 };
const calibrationEnd = 239;
const horizonDays = 60;

let tf: TensorFlow;
let evaluation: ChurnEvaluation;
let log: TransactionLog;
beforeAll(async () => {
  tf = (await loadTensorFlow(silentLog)).tf;
  log = draw(1);
  evaluation = await evaluateChurnLog(tf, log, { calibrationEnd, horizonDays, seed: 1, options }, () => {});
});

/** Regular customers, who leave when their pace has broken: a Poisson process knows of no regularity. */
function draw(seed: number): TransactionLog {
  const rng = createRng(seed, 'log');
  const rows: { customer: number; day: number; amount: number }[] = [];
  for (let customer = 0; customer < 900; customer++) {
    const gap = 8 + 40 * rng.next();
    const leaves = rng.next() < 0.5 ? 100 + 200 * rng.next() : 400;
    for (let at = rng.nextInt(100); at < Math.min(leaves, 300); at += gap * (0.9 + 0.2 * rng.next()))
      rows.push({ customer, day: Math.floor(at), amount: 5 + 20 * rng.next() });
  }
  return {
    customers: 900,
    customer: Int32Array.from(rows, ({ customer }) => customer),
    day: Int32Array.from(rows, ({ day }) => day),
    amount: Float64Array.from(rows, ({ amount }) => amount),
  };
}

const lineOf = (name: string) => evaluation.lines.find(({ model }) => model === name)!;

test('a line a model, of customers who were known by the day', () => {
  expect(evaluation.lines.map(({ model }) => model)).toEqual([...CHURN_MODELS]);
  expect(evaluation.testCustomers).toBe(900);
  expect(evaluation.lost).toBeGreaterThan(0.1);
  expect(evaluation.looks).toBeGreaterThan(3);
});

test('on regular customers the network tells more than models that know of no regularity', () => {
  expect(lineOf('network').auc).toBeGreaterThan(lineOf('mbg-nbd').auc + 0.005);
  expect(lineOf('network').brier).toBeLessThan(lineOf('mbg-nbd').brier);
  expect(lineOf('network').auc).toBeGreaterThan(lineOf('recency').auc + 0.005);
});

test('one risk for everybody tells nobody apart', () => {
  expect(lineOf('base-rate').auc).toBe(0.5);
  expect(lineOf('base-rate').liftTopDecile).toBeCloseTo(1, 12);
});

test('nothing after the day is seen but by the test', async () => {
  // Whoever came back after the day came back a day later: no label changes, and so may nothing that was learnt.
  const later = { ...log, day: log.day.map((day) => (day > calibrationEnd && day < 290 ? day + 1 : day)) };
  const again = await evaluateChurnLog(
    tf,
    later,
    { calibrationEnd, horizonDays, seed: 1, options },
    () => {},
  );
  expect(again.lines).toEqual(evaluation.lines);
});

test('a log without a past or without a future is refused, with the days', async () => {
  const ask = (day: number) =>
    evaluateChurnLog(tf, log, { calibrationEnd: day, horizonDays, seed: 1, options }, () => {});
  await expect(ask(0)).rejects.toThrow('too little before 1970-01-01');
  await expect(ask(5000)).rejects.toThrow('nothing comes after');
});
