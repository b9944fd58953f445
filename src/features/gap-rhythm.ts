import { isSameErrand } from '../algorithms/errand.ts';
import { dayMs } from '../domain/time.ts';
import { anyNumber, type Feature, NEVER, startsOrder } from './feature.ts';

/**
 * How regular the gaps between errands are: the last one, and mean and spread (sample standard deviation) of their natural
 * logarithms, in which twice the usual gap is as far off as half of it. All are 0 where there is no gap to speak of yet.
 */
export const gapRhythm = {
  name: 'gapRhythm',
  slots: ['gaps', 'logMean', 'squaredDeviations', 'lastGapDays', 'lastOrderAt'],
  outputs: ['lastGapDays', 'gapLogMean', 'gapLogSpread'],
  ranges: { gapLogMean: anyNumber },
  init(state) {
    state[4] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    const last = state[4]!;
    const at = event.occurredAt;
    if (last !== NEVER && at >= last && !isSameErrand(last, at)) {
      const gapDays = (at - last) / dayMs;
      const logGap = Math.log(gapDays);
      state[0]! += 1;
      const delta = logGap - state[1]!;
      state[1]! += delta / state[0]!;
      state[2]! += delta * (logGap - state[1]!);
      state[3] = gapDays;
    }
    state[4] = Math.max(last, at);
  },
  value(state, _now, out, at) {
    const gaps = state[0]!;
    out[at] = state[3]!;
    out[at + 1] = state[1]!;
    out[at + 2] = gaps > 1 ? Math.sqrt(Math.max(0, state[2]!) / (gaps - 1)) : 0;
  },
  unknown: (state) =>
    state[0]! > 1 ? [] : state[0]! > 0 ? ['gapLogSpread'] : ['lastGapDays', 'gapLogMean', 'gapLogSpread'],
} as const satisfies Feature;
