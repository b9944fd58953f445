import { isSameErrand } from '../algorithms/errand.ts';
import { dayMs } from '../domain/time.ts';
import { type Feature, NEVER, startsOrder } from './feature.ts';

/**
 * Mean and spread (sample standard deviation) of the days from one errand's last order to the next one's first, by
 * Welford's recurrence (Technometrics 1962): orders of one day are one errand. Both are 0 where there is no gap to speak of
 * yet: before the second errand, and for the spread before the third.
 */
export const orderGaps = {
  name: 'orderGaps',
  slots: ['errandGaps', 'meanDays', 'squaredDeviations', 'lastOrderAt'],
  outputs: ['gapMeanDays', 'gapSpreadDays'],
  init(state) {
    state[3] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    const last = state[3]!;
    if (last !== NEVER && event.occurredAt >= last && !isSameErrand(last, event.occurredAt)) {
      const gapDays = (event.occurredAt - last) / dayMs;
      state[0]! += 1;
      const delta = gapDays - state[1]!;
      state[1]! += delta / state[0]!;
      state[2]! += delta * (gapDays - state[1]!);
    }
    state[3] = Math.max(last, event.occurredAt);
  },
  value(state, _now, out, at) {
    const gaps = state[0]!;
    out[at] = state[1]!;
    out[at + 1] = gaps > 1 ? Math.sqrt(Math.max(0, state[2]!) / (gaps - 1)) : 0;
  },
  unknown: (state) =>
    state[0]! > 1 ? [] : state[0]! > 0 ? ['gapSpreadDays'] : ['gapMeanDays', 'gapSpreadDays'],
} as const satisfies Feature;
