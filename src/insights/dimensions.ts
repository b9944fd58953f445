/**
 * What customers can be told apart by. Each value is the one at the start of the period, so that no group is made of what came
 * after.
 */

export const DIMENSIONS = [
  'channel',
  'tier',
  'loyalty',
  'segment',
  'rfm',
  'cohort',
  'satisfaction',
  'nps',
  'complaints',
  'community',
  'marketing',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What is answered where nothing is asked for: all but the months of the first purchase, of which there may be many. */
export const DIMENSIONS_DEFAULT: readonly Dimension[] = DIMENSIONS.filter(
  (dimension) => dimension !== 'cohort',
);
