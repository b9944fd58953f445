/** The promotion gate: a model is published only where it is better than knowing less. */

export type GateCheck = {
  /** As a person reads it: `recall@10`. Higher is better, unless said otherwise. */
  metric: string;
  /** For losses. */
  lowerIsBetter?: boolean;
  candidate: number;
  /** Name and figure of what must be beaten: the base rate, popularity, the served model. */
  against: string;
  baseline: number;
};

export type GateVerdict = { passed: boolean; reason: string };

/** Passes when the candidate is better in every check; a tie or a figure that is not a number fails. The reason names every check. RangeError without checks. */
export function judge(candidateName: string, checks: readonly GateCheck[]): GateVerdict {
  if (checks.length === 0) throw new RangeError('a gate without checks would pass anything');
  const sentences = checks.map((check) => {
    const { metric, candidate, against, baseline } = check;
    const verb = beats(check) ? 'beats' : 'does not beat';
    return `${metric} ${candidate.toFixed(4)} ${verb} ${against} (${baseline.toFixed(4)})`;
  });
  return {
    passed: checks.every(beats),
    reason: `${candidateName}: ${sentences.join('; ')}`,
  };
}

function beats({ candidate, baseline, lowerIsBetter = false }: GateCheck): boolean {
  return lowerIsBetter ? candidate < baseline : candidate > baseline;
}
