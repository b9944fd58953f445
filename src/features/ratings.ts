import { type Feature, NEVER } from './feature.ts';

/** Middle of the scale of 1 to 5: said for customers who never rated, whose `ratingCount` is 0. */
const neutralRating = 3;

/** Last and mean satisfaction (CSAT), 1 bad to 5 good. */
export const ratings = {
  name: 'ratings',
  slots: ['count', 'sum', 'last', 'lastAt'],
  told: ['sum', 'last'],
  outputs: ['lastRating', 'meanRating', 'ratingCount'],
  ranges: { lastRating: [1, 5], meanRating: [1, 5] },
  init(state) {
    state[3] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'rating') return;
    state[0]! += 1;
    state[1]! += event.rating;
    if (event.occurredAt >= state[3]!) {
      state[2] = event.rating;
      state[3] = event.occurredAt;
    }
  },
  value(state, _now, out, at) {
    const count = state[0]!;
    out[at] = count > 0 ? state[2]! : neutralRating;
    out[at + 1] = count > 0 ? state[1]! / count : neutralRating;
    out[at + 2] = count;
  },
  unknown: (state) => (state[0]! > 0 ? [] : ['lastRating', 'meanRating']),
} as const satisfies Feature;
