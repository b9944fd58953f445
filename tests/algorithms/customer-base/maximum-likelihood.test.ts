import { expect, test } from 'vitest';
import type { LogLikelihood } from '../../../src/algorithms/customer-base/climb.ts';
import { maximizeLikelihood } from '../../../src/algorithms/customer-base/maximum-likelihood.ts';

/** Normal draws of known variance 1 about μ, 100 of them with a mean of 3, in ln μ. */
const mean: LogLikelihood = (at, gradient) => {
  const mu = Math.exp(at[0]!);
  gradient[0] = 100 * (3 - mu) * mu;
  return -50 * (mu - 3) ** 2;
};

test('the maximum and its standard error, in closed form', () => {
  const { parameters, standardErrors, converged } = maximizeLikelihood({
    scales: { mu: 1 },
    starts: [{ mu: 40 }],
    customers: 100,
    logLikelihood: mean,
  });
  expect(converged).toBe(true);
  expect(parameters.mu).toBeCloseTo(3, 7);
  // 1 / √100
  expect(standardErrors.mu).toBeCloseTo(0.1, 6);
});

test('a curved valley (Rosenbrock’s, in logarithms)', () => {
  const { parameters } = maximizeLikelihood({
    scales: { x: 1, y: 1 },
    starts: [{ x: 0.3, y: 2 }],
    customers: 1,
    logLikelihood: (at, gradient) => {
      const [x, y] = [at[0]!, at[1]!];
      gradient[0] = 400 * x * (y - x * x) + 2 * (1 - x);
      gradient[1] = -200 * (y - x * x);
      return -100 * (y - x * x) ** 2 - (1 - x) ** 2;
    },
  });
  expect(parameters.x).toBeCloseTo(Math.E, 6);
  expect(parameters.y).toBeCloseTo(Math.E, 6);
});

test('of several hills the highest', () => {
  // Two bumps in ln θ: at 2, of height 1, and at −2, of height 3.
  const bump = (z: number, at: number, height: number) => height * Math.exp(-((z - at) ** 2));
  const { parameters } = maximizeLikelihood({
    scales: { theta: 1 },
    starts: [{ theta: Math.exp(1.5) }, { theta: Math.exp(-1.5) }],
    customers: 1,
    logLikelihood: (at, gradient) => {
      const z = at[0]!;
      gradient[0] = -2 * (z - 2) * bump(z, 2, 1) - 2 * (z + 2) * bump(z, -2, 3);
      return bump(z, 2, 1) + bump(z, -2, 3);
    },
  });
  expect(Math.log(parameters.theta)).toBeCloseTo(-2, 5);
});

test('a parameter that runs away ends at its bound, one that does not matter stays; neither has an error', () => {
  const { parameters, standardErrors } = maximizeLikelihood({
    scales: { mu: 1, runaway: 10, idle: 1 },
    starts: [{ mu: 2, runaway: 1, idle: 0.7 }],
    customers: 100,
    logLikelihood: (at, gradient) => {
      gradient[1] = 5;
      gradient[2] = 0;
      return mean(at, gradient) + 5 * at[1]!;
    },
  });
  expect(parameters.mu).toBeCloseTo(3, 6);
  expect(parameters.runaway).toBeCloseTo(10 * Math.exp(14), 0);
  expect(parameters.idle).toBeCloseTo(0.7, 12);
  expect(standardErrors).toMatchObject({ runaway: null, idle: null });
  expect(standardErrors.mu).toBeCloseTo(0.1, 6);
});
