/**
 * Recency, frequency and money as one name. Each is a score of 1 to 5 by the shop's own quantiles: recency by fifths of the
 * days since the last order (5 = the latest), money by fifths of the margin so far, frequency 1 for a single errand and 2 to 5
 * by quarters of the errands of those with more: in most shops most bought once, and fifths of all would tell nobody apart.
 *
 *   recency   one errand     frequency and money, their mean: to 2     to 3             above
 *   5         new            potentialLoyal                            loyal            champion
 *   4         promising      potentialLoyal                            loyal            champion
 *   3         promising      needsAttention                            needsAttention   loyal
 *   2         hibernating    hibernating                               atRisk           atRisk
 *   1         lost           lost                                      atRisk           cannotLose
 */
import type { RfmSegment } from '../../domain/segments.ts';
import { bandOf } from './bands.ts';
import type { CustomerPast, CustomerThresholds } from './customer-value-model.ts';

export { RFM_SEGMENTS, type RfmSegment } from '../../domain/segments.ts';

export type RfmScores = { recency: number; frequency: number; money: number };

export function rfmScores(thresholds: CustomerThresholds, past: CustomerPast): RfmScores {
  const { errands, ageDays, recencyDays, averageMarginMinor } = past;
  return {
    recency: 5 - bandOf(thresholds.recencyDays, ageDays - recencyDays),
    frequency: errands < 2 ? 1 : 2 + bandOf(thresholds.errands, errands),
    money: 1 + bandOf(thresholds.marginMinor, errands * averageMarginMinor),
  };
}

/** Rows by recency 1 to 5; columns as in the table above. */
const table: readonly (readonly [RfmSegment, RfmSegment, RfmSegment, RfmSegment])[] = [
  ['lost', 'lost', 'atRisk', 'cannotLose'],
  ['hibernating', 'hibernating', 'atRisk', 'atRisk'],
  ['promising', 'needsAttention', 'needsAttention', 'loyal'],
  ['promising', 'potentialLoyal', 'loyal', 'champion'],
  ['new', 'potentialLoyal', 'loyal', 'champion'],
];

export function rfmSegment({ recency, frequency, money }: RfmScores): RfmSegment {
  const strength = (frequency + money) / 2;
  const column = frequency === 1 ? 0 : strength <= 2 ? 1 : strength <= 3 ? 2 : 3;
  return table[recency - 1]![column]!;
}
