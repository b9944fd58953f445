/** Groups beside each other: how much more, or less, churn there is in one than in the other, and how sure that is. */
import { z } from 'zod';
import { differenceInterval } from '../algorithms/proportion-interval.ts';
import { DIMENSIONS, type Dimension } from './dimensions.ts';
import { Estimate, estimate } from './estimate.ts';
import type { Group } from './figures.ts';

export const Comparison = z
  .object({
    by: z.enum(DIMENSIONS),
    group: z.string(),
    against: z.string(),
    /** Churn rate of `group` − that of `against`; `customers` of both together. Newcombe's interval. */
    churnRateDifference: Estimate,
  })
  .meta({ id: 'RetentionComparison' });
export type Comparison = z.output<typeof Comparison>;

const PAIRS: readonly (readonly [Dimension, string, string])[] = [
  ['loyalty', 'member', 'other'],
  ['satisfaction', 'low', 'high'],
  ['nps', 'detractor', 'promoter'],
  ['complaints', 'complained', 'none'],
  ['community', 'tookPart', 'none'],
  ['marketing', 'clicked', 'sent'],
];

/** Of the pairs whose two groups are among `groups`, each with customers who can be lost. */
export function comparisonsOf(groups: readonly Group[]): Comparison[] {
  return PAIRS.flatMap(([by, first, second]) => {
    const churnOf = (key: string) => {
      const { customers, value } =
        groups.find((group) => group.by === by && group.key === key)?.churnRate ?? {};
      // A share of whole customers: rounding gives them back.
      return customers && value != null
        ? { n: customers, successes: Math.round(value * customers), value }
        : undefined;
    };
    const [a, b] = [churnOf(first), churnOf(second)];
    if (a === undefined || b === undefined) return [];
    const difference = estimate(a.n + b.n, a.value - b.value, differenceInterval(a, b));
    return [{ by, group: first, against: second, churnRateDifference: difference }];
  });
}
