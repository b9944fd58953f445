/** What of a customer's own is due again: shown once half the usual gap is over, and not where it is hardly ever bought again. */
import type { DueItem } from '../../algorithms/buy-again.ts';

const dueFromGapShare = 0.5;
const dueFromScore = 0.02;

export function isDue({ score, usualGapDays, daysSinceLast }: DueItem): boolean {
  return score >= dueFromScore && daysSinceLast >= dueFromGapShare * usualGapDays;
}
