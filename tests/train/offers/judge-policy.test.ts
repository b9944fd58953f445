import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { judgePolicy } from '../../../src/train/offers/judge-policy.ts';
import type { PolicyTrial } from '../../../src/train/offers/try-policies.ts';

const [call, nothing] = [1, 0];
const [orderMinor, callMinor, remainingMinor] = [1500, 350, 10_000];

/** Half of the customers are called, which costs 3.50 and brings no order; `kept` more of them stay. The candidate calls everybody, the champion nobody. */
function trialOf({
  rows = 6000,
  kept,
  known = true,
}: {
  rows?: number;
  kept: number;
  known?: boolean;
}): PolicyTrial {
  const rng = createRng(11, 'judge policy');
  const action = Int32Array.from({ length: rows }, () => rng.nextInt(2));
  const reward = Float64Array.from(
    action,
    (made) => (rng.chance(0.3) ? orderMinor : 0) - (made === call ? callMinor : 0),
  );
  const stayed = Float64Array.from(action, (made) =>
    known ? (rng.chance(0.5 + (made === call ? kept : 0)) ? 1 : 0) : Number.NaN,
  );
  return {
    log: {
      action,
      propensity: new Float64Array(rows).fill(0.5),
      reward,
      customer: Int32Array.from({ length: rows }, (_, row) => row >> 1),
    },
    // What is expected need not be right.
    model: (_row, made) => 400 - (made === call ? callMinor : 0),
    stayed,
    staying: () => 0.5,
    remainingMinor: new Float64Array(rows).fill(remainingMinor),
    actions: 2,
    offerIds: ['', 'call'],
    candidate: new Int32Array(rows).fill(call),
    champion: new Int32Array(rows).fill(nothing),
    score: new Float64Array(rows).fill(1),
    championScore: new Float64Array(rows),
    offered: [{ row: 0, redeemed: 0, candidate: 0.1, champion: 0.1 }],
  };
}

test('a call that keeps customers is worth its cost, although within the window it only costs', () => {
  const { gate, metrics } = judgePolicy(trialOf({ kept: 0.2 }), 'saying nothing');
  expect(metrics.advantageUpper).toBeLessThan(0);
  const truth = 0.2 * remainingMinor - callMinor;
  expect(metrics.longRunAdvantageLower).toBeGreaterThan(0);
  expect(metrics.longRunAdvantageLower).toBeLessThan(truth);
  expect(metrics.longRunAdvantageUpper).toBeGreaterThan(truth);
  expect(gate.passed).toBe(true);
  expect(gate.reason).toMatch(/what staying is worth.* beats saying nothing.*earnings.*does not beat/);
});

test('one that keeps nobody does not pass, nor one of which it is not known', () => {
  const useless = judgePolicy(trialOf({ kept: 0 }), 'saying nothing');
  expect(useless.gate.passed).toBe(false);
  expect(useless.gate.reason).toContain('what staying is worth');
  const unknown = judgePolicy(trialOf({ kept: 0.2, known: false }), 'saying nothing');
  expect(unknown.gate.passed).toBe(false);
  expect(unknown.gate.reason).not.toContain('what staying is worth');
  expect(unknown.metrics).not.toHaveProperty('longRunAdvantage');
});

test('an offer that costs more than it brings is withheld, offer by offer, if the log tells it beyond doubt', () => {
  expect(judgePolicy(trialOf({ kept: -0.2 }), 'saying nothing').withheld).toEqual(['call']);
  expect(judgePolicy(trialOf({ kept: 0.2 }), 'saying nothing').withheld).toEqual([]);
  // Of a few decisions, or where nobody knows who stayed, nothing is said.
  expect(judgePolicy(trialOf({ kept: -0.2, rows: 90 }), 'saying nothing').withheld).toEqual([]);
  expect(judgePolicy(trialOf({ kept: -0.2, known: false }), 'saying nothing').withheld).toEqual([]);
});

/** As `trialOf`, with mail, which costs as much as a call, keeps nobody and drives nobody away, and was sent once in fifty times. The candidate sends it to everybody. */
function mailTrial(kept: number): PolicyTrial {
  const rows = 1200;
  const rng = createRng(12, 'judge policy');
  const mail = 2;
  const action = Int32Array.from({ length: rows }, () => (rng.chance(0.02) ? mail : rng.nextInt(2)));
  const cost = (made: number) => (made === nothing ? 0 : callMinor);
  return {
    ...trialOf({ rows, kept }),
    log: {
      action,
      propensity: Float64Array.from(action, (made) => (made === mail ? 0.02 : 0.49)),
      reward: Float64Array.from(action, (made) => (rng.chance(0.3) ? orderMinor : 0) - cost(made)),
      customer: Int32Array.from({ length: rows }, (_, row) => row >> 1),
    },
    model: (_row, made) => 400 - cost(made),
    stayed: Float64Array.from(action, (made) => (rng.chance(0.5 + (made === call ? kept : 0)) ? 1 : 0)),
    actions: 3,
    offerIds: ['', 'call', 'mail'],
    candidate: new Int32Array(rows).fill(mail),
    champion: new Int32Array(rows).fill(call),
  };
}

test('where the champion costs more than nothing beyond doubt, it is enough to be above it and not to lose as well', () => {
  const { gate, metrics } = judgePolicy(mailTrial(-0.15), 'calling everybody');
  // Neither of the other ways is open.
  expect(metrics.advantageLower).toBeLessThan(0);
  expect(metrics.longRunAdvantageLower).toBeLessThan(0);
  expect(metrics.longRunAdvantage).toBeGreaterThan(0);
  expect(metrics.championLongRunOverNothingUpper).toBeLessThan(0);
  expect(metrics.longRunOverNothingUpper).toBeGreaterThan(0);
  expect(gate.passed).toBe(true);
  expect(gate.reason).toContain('cost more than offering nothing');
});

test('where the champion does not lose beyond doubt, or the candidate loses as well, that way is closed', () => {
  const harmless = judgePolicy(mailTrial(0), 'calling everybody');
  expect(harmless.metrics.championLongRunOverNothingUpper).toBeGreaterThan(0);
  expect(harmless.gate.passed).toBe(false);
  const losing = trialOf({ kept: -0.2 });
  const same = judgePolicy({ ...losing, champion: losing.candidate }, 'calling everybody');
  expect(same.metrics.championLongRunOverNothingUpper).toBeLessThan(0);
  expect(same.gate.passed).toBe(false);
});
