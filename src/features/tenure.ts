import { daysSince, type Feature, NEVER } from './feature.ts';

/** Days since the customer's first event of any kind. */
export const tenure = {
  name: 'tenure',
  slots: ['firstAt'],
  outputs: ['tenureDays'],
  init(state) {
    state[0] = NEVER;
  },
  update(state, event) {
    if (state[0] === NEVER || event.occurredAt < state[0]!) state[0] = event.occurredAt;
  },
  value(state, now, out, at) {
    out[at] = daysSince(state[0]!, now);
  },
} as const satisfies Feature;
