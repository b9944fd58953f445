/** Maximum likelihood of models whose parameters are all positive, in the parameters' logarithms. */
import { climb, identity, type LogLikelihood, type Maximum } from './climb.ts';
import { errorsOfLogs, informationAt, invertPositiveDefinite } from './standard-errors.ts';

export type Estimate<Name extends string> = {
  parameters: Record<Name, number>;
  /**
   * By the delta method from the curvature at the maximum; null where the data do not determine the parameter: it ran to
   * the end of its range, or the likelihood does not depend on it.
   */
  standardErrors: Record<Name, number | null>;
  logLikelihood: number;
  customers: number;
  /** Whether the slope came to nothing; else the likelihood has no maximum, and this is where the search gave up. */
  converged: boolean;
};

export type MaximumLikelihoodProblem<Name extends string> = {
  /** The parameters, each with its scale: 1 for a shape, a typical time or amount for what is measured in such. */
  scales: Readonly<Record<Name, number>>;
  /** Where to begin, in scales; the best of the maxima found from here counts. */
  starts: readonly Readonly<Record<Name, number>>[];
  customers: number;
  logLikelihood: LogLikelihood;
  /** Fewer customers of the same kind, if there are many: they find the neighbourhood. */
  rough?: LogLikelihood;
};

/**
 * However little the data tell, parameters stay finite, and errors that cannot be told are null. RangeError without
 * customers.
 */
export function maximizeLikelihood<Name extends string>(
  problem: MaximumLikelihoodProblem<Name>,
): Estimate<Name> {
  if (problem.customers === 0) throw new RangeError('there are no customers to fit a model to');
  const names = Object.keys(problem.scales) as Name[];
  const centre = Float64Array.from(names, (name) => Math.log(problem.scales[name]));
  const roughly = problem.rough ?? problem.logLikelihood;
  let best: Maximum | undefined;
  for (const start of problem.starts) {
    const from = Float64Array.from(names, (name, i) => centre[i]! + Math.log(start[name]));
    const found = climb(roughly, from, centre, problem.customers);
    if (best === undefined || found.value > best.value) best = found;
  }
  if (best === undefined) throw new RangeError('a search needs somewhere to start');
  if (problem.rough !== undefined) {
    const information = informationAt(problem.rough, best.at).map((value) => value / problem.customers);
    const inverse = invertPositiveDefinite(information, names.length) ?? identity(names.length);
    best = climb(problem.logLikelihood, best.at, centre, problem.customers, inverse);
  }
  const { at } = best;
  const logErrors = errorsOfLogs(problem.logLikelihood, at, centre, problem.customers);
  const byName = <T>(value: (i: number) => T) =>
    Object.fromEntries(names.map((name, i) => [name, value(i)])) as Record<Name, T>;
  return {
    parameters: byName((i) => Math.exp(at[i]!)),
    standardErrors: byName((i) => {
      const error = logErrors[i] ?? null;
      return error === null ? null : Math.exp(at[i]!) * error;
    }),
    logLikelihood: best.value,
    customers: problem.customers,
    converged: best.converged,
  };
}
