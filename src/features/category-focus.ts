import { categoryHalfLifeDays } from './categories.ts';
import { decay, type Feature, share } from './feature.ts';

/** How focused the customer is: share of the strongest category in all affinity (0 without any), and how many categories there are. */
export const categoryFocus = {
  name: 'categoryFocus',
  slots: [],
  outputs: ['topCategoryShare', 'categoryCount'],
  ranges: { topCategoryShare: share },
  update() {
    // The affinities are a variable part of the record: `categories.ts` folds them.
  },
  value(_state, _now, out, at, record) {
    let total = 0;
    let top = 0;
    for (const affinity of record.categories) {
      // All at the time of the last event: a common factor would cancel out of the share.
      const weight = affinity.weight * decay(record.lastAt - affinity.at, categoryHalfLifeDays);
      total += weight;
      if (weight > top) top = weight;
    }
    out[at] = total > 0 ? top / total : 0;
    out[at + 1] = record.categories.length;
  },
} as const satisfies Feature;
