/** The promotion gate: a model is published only where it is better than knowing less, and no worse than what is served. */
import type { Interval } from '../algorithms/bootstrap.ts';

export type GateCheck = {
  /** As a person reads it: `recall@10`. Higher is better, unless said otherwise. */
  metric: string;
  /** For losses. */
  lowerIsBetter?: boolean;
  candidate: number;
  /** Name and figure of what it is compared with: the base rate, popularity, the served model. */
  against: string;
  baseline: number;
  /**
   * Of candidate − baseline on the same customers (the other way round for losses): a comparison is then more than two
   * figures. Absent: the figures decide.
   */
  difference?: Interval;
  /**
   * `above` (the default): must be better, beyond doubt where there is an interval. `notBelow`: must not be worse beyond
   * doubt. `none`: told, and decides nothing.
   */
  rule?: 'above' | 'notBelow' | 'none';
};

export type GateVerdict = { passed: boolean; reason: string };

/**
 * Passes when every check does; a figure that is not a number fails. The reason names every check, those first that
 * failed, and `remarks` after them. RangeError without checks that decide.
 */
export function judge(
  candidateName: string,
  checks: readonly GateCheck[],
  remarks: readonly string[] = [],
): GateVerdict {
  if (checks.every(({ rule }) => rule === 'none'))
    throw new RangeError('a gate without checks would pass anything');
  const failed = checks.filter((check) => !passes(check)).map(sentenceOf);
  const others = checks.filter(passes).map(sentenceOf);
  const verdict = [failed, others].filter((told) => told.length > 0).map((told) => told.join('; '));
  return {
    passed: failed.length === 0,
    reason: `${candidateName}: ${[verdict.join(', though '), ...remarks].join('; ')}`,
  };
}

function passes(check: GateCheck): boolean {
  const { rule = 'above' } = check;
  const { mean, lower, upper } = advantageOf(check);
  if (rule === 'none') return true;
  return rule === 'above' ? lower > 0 : upper >= 0 && Number.isFinite(mean);
}

/** By how much the candidate is better; without an interval it is taken at its word. */
function advantageOf({ candidate, baseline, lowerIsBetter = false, difference }: GateCheck): Interval {
  if (difference !== undefined) return difference;
  const mean = lowerIsBetter ? baseline - candidate : candidate - baseline;
  return { mean, lower: mean, upper: mean };
}

function sentenceOf(check: GateCheck): string {
  const { metric, candidate, against, baseline, difference, lowerIsBetter = false } = check;
  const digits = digitsToTell(candidate, baseline);
  const figures = [
    baseline.toFixed(digits),
    ...(lowerIsBetter ? ['lower is better'] : []),
    ...(difference === undefined ? [] : [spread(difference)]),
  ];
  return `${metric} ${candidate.toFixed(digits)} ${verbOf(check)} ${against} (${figures.join(', ')})`;
}

/** Four, and more where two figures that differ would read the same. */
function digitsToTell(a: number, b: number): number {
  let digits = 4;
  while (digits < 8 && a !== b && a.toFixed(digits) === b.toFixed(digits)) digits++;
  return digits;
}

function verbOf(check: GateCheck): string {
  const { lower, upper } = advantageOf(check);
  if (lower > 0) return 'beats';
  if (check.rule === undefined || check.rule === 'above') return 'does not beat';
  return upper < 0 ? 'is worse than' : 'is level with';
}

/** `+0.0312, 95 % +0.0123 to +0.0501`. */
function spread({ mean, lower, upper }: Interval): string {
  return `${signed(mean)}, 95 % ${signed(lower)} to ${signed(upper)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}
