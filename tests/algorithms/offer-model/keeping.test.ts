import { expect, test } from 'vitest';
import {
  ANNOYANCE,
  KEEPING_ASSUMED,
  KEEPING_CORRELATION,
} from '../../../src/algorithms/offer-model/assumed-effects.ts';
import {
  assumedSizes,
  causesSize,
  fitSizes,
  KEEPING_CAUSES,
  keepingOf,
  standingColumns,
  standingOf,
  withLeftOut,
  writeCauses,
} from '../../../src/algorithms/offer-model/keeping.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

const sizesOf = (mean: Float64Array) =>
  Object.fromEntries(KEEPING_CAUSES.map((cause, k) => [cause, mean[k]!]));

/**
 * Customers of whom some are annoyed, and more likely to leave anyway. Half are offered something, which `harm` of the annoyed leave for within
 * the horizon; a tenth of the offers are service contacts, which keep `kept`.
 */
function draw(rows: number, harm: number, kept: number) {
  const rng = createRng(3, 'keeping');
  const causes = new Float64Array(rows * causesSize);
  const controls = new Float64Array(rows * 2);
  const unexpectedlyLeft = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const annoyed = rng.next();
    controls.set([1, annoyed], 2 * row);
    const [offered, service] = [rng.chance(0.5), rng.chance(0.1)];
    const kind = service ? 'serviceContact' : 'gift';
    const inputs = { dismisses: annoyed, leaving: 0.3, grievance: 0, takesPart: 0 };
    if (offered) writeCauses({ kind, retention: false }, inputs, causes, row * causesSize);
    const leaves = 0.2 + 0.2 * annoyed + (!offered ? 0 : service ? -kept : harm * annoyed);
    // What is expected does not know of the annoyance.
    unexpectedlyLeft[row] = (rng.chance(leaves) ? 1 : 0) - 0.3;
  }
  return {
    rows,
    causes,
    controls,
    width: 2,
    unexpectedlyLeft,
    weight: new Float64Array(rows).fill(1),
    customer: Int32Array.from({ length: rows }, (_, row) => row),
  };
}

test('without a row sizes are as assumed', () => {
  const { mean, covariance } = fitSizes(draw(0, 0, 0));
  const assumed = assumedSizes();
  expect([...mean]).toEqual([...assumed.mean]);
  covariance.forEach((value, at) => {
    expect(value).toBeCloseTo(assumed.covariance[at]!, 12);
  });
});

test('with many rows they are what the log tells, of what is seen within the horizon; what it has not moves along', () => {
  const { dismissal, service, invitation } = KEEPING_ASSUMED;
  const [harm, kept] = [0.12, 0.1];
  const learnt = fitSizes(draw(400_000, harm, kept));
  const sizes = sizesOf(learnt.mean);
  expect(sizes.dismissal).toBeGreaterThan(0.6 * (harm / dismissal.shown));
  expect(sizes.dismissal).toBeLessThan(1.1 * (harm / dismissal.shown));
  expect(sizes.service).toBeGreaterThan(service.size + service.deviation);
  // Nobody was invited: told by the service contacts alone, as far as the two are off together.
  const off = (sizes.service! - service.size) / service.deviation;
  expect(sizes.invitation).toBeCloseTo(invitation.size + KEEPING_CORRELATION * off * invitation.deviation, 6);
  const causes = new Float64Array(causesSize);
  writeCauses(
    { kind: 'gift', retention: false },
    { dismisses: 0.5, leaving: 0, grievance: 0, takesPart: 0 },
    causes,
  );
  const { mean: reduction, deviation } = keepingOf(
    withLeftOut(learnt, { leftOut: 0, leftOutDeviation: 0 }),
    causes,
  );
  expect(reduction).toBeCloseTo(-0.5 * sizes.dismissal!, 10);
  expect(deviation).toBeLessThan(0.5 * dismissal.deviation);
});

test('where service contacts keep nobody, nothing much is believed of what else is meant to keep', () => {
  const { mean, covariance } = fitSizes(draw(300_000, 0.02, 0));
  for (const cause of ['retention', 'grievance', 'invitation'] as const) {
    const k = KEEPING_CAUSES.indexOf(cause);
    const { size, deviation } = KEEPING_ASSUMED[cause];
    expect(mean[k]!, cause).toBeLessThan(0.7 * size);
    expect(mean[k]!, cause).toBeGreaterThan(-0.1 * size);
    expect(Math.sqrt(covariance[k * causesSize + k]!), cause).toBeLessThan(0.9 * deviation);
  }
});

test('a log in which every decision stands there four times tells no more than once', () => {
  const once = draw(20_000, 0.05, 0.02);
  const rows = 4 * once.rows;
  const fourfold = (values: Float64Array) => Float64Array.from([...values, ...values, ...values, ...values]);
  const learnt = fitSizes({
    ...once,
    rows,
    causes: fourfold(once.causes),
    controls: fourfold(once.controls),
    unexpectedlyLeft: fourfold(once.unexpectedlyLeft),
    weight: fourfold(once.weight),
    customer: Int32Array.from({ length: rows }, (_, row) => row % once.rows),
  });
  const alone = fitSizes(once);
  for (const k of KEEPING_CAUSES.keys()) {
    const ratio = learnt.covariance[k * causesSize + k]! / alone.covariance[k * causesSize + k]!;
    expect(ratio, KEEPING_CAUSES[k]).toBeGreaterThan(0.9);
    expect(ratio, KEEPING_CAUSES[k]).toBeLessThan(1.1);
  }
});

test('orders that annoyance leaves out for a while are a part of what a year brings', () => {
  const causes = new Float64Array(causesSize);
  writeCauses(
    { kind: 'gift', retention: false },
    { dismisses: 1, leaving: 0, grievance: 0, takesPart: 0 },
    causes,
  );
  const sizes = (leftOut: number) => withLeftOut(assumedSizes(), { leftOut, leftOutDeviation: 0.1 });
  const [none, half] = [0, 0.5].map((leftOut) => keepingOf(sizes(leftOut), causes));
  expect(half!.mean - none!.mean).toBeCloseTo((-0.5 * ANNOYANCE.days) / 365, 10);
  expect(half!.deviation).toBeGreaterThan(KEEPING_ASSUMED.dismissal.deviation);
});

test('with few rows they hardly move', () => {
  const { mean } = fitSizes(draw(200, 0.3, 0.3));
  for (const [k, cause] of KEEPING_CAUSES.entries())
    expect(Math.abs(mean[k]! - KEEPING_ASSUMED[cause].size)).toBeLessThan(KEEPING_ASSUMED[cause].deviation);
});

test('an open complaint, a late delivery and a low rating are grievances; a model without these features knows of none', () => {
  const columns = standingColumns(['lastRating', 'openComplaints', 'recentLateDeliveries', 'communityCount']);
  expect(standingOf(columns, [5, 0, 0, 0], 0)).toEqual({ grievance: 0, takesPart: 0 });
  expect(standingOf(columns, [0, 1, 0, 2], 0)).toEqual({ grievance: 0.5, takesPart: 1 });
  expect(standingOf(columns, [2, 1, 0.6, 0], 0).grievance).toBe(1);
  expect(standingOf(standingColumns(['x']), [7], 0)).toEqual({ grievance: 0, takesPart: 0 });
});
