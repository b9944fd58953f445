import { type Feature, NEVER } from './feature.ts';

/** A passive: said for customers who were never asked, whose `npsCount` is 0. */
const passiveScore = 7;

/** Last answer to "would you recommend us?" (NPS), 0 to 10. */
export const nps = {
  name: 'nps',
  slots: ['count', 'last', 'lastAt'],
  outputs: ['lastNps', 'npsCount'],
  ranges: { lastNps: [0, 10] },
  init(state) {
    state[2] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'nps') return;
    state[0]! += 1;
    if (event.occurredAt < state[2]!) return;
    state[1] = event.score;
    state[2] = event.occurredAt;
  },
  value(state, _now, out, at) {
    out[at] = state[0]! > 0 ? state[1]! : passiveScore;
    out[at + 1] = state[0]!;
  },
  unknown: (state) => (state[0]! > 0 ? [] : ['lastNps']),
} as const satisfies Feature;
