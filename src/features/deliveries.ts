import { decay, type Feature, NEVER, share } from './feature.ts';

const halfLifeDays = 60;

/** Late deliveries: their number, their share of all deliveries, and their number with an old one counting half after 60 days. */
export const deliveries = {
  name: 'deliveries',
  slots: ['deliveries', 'late', 'recentLate', 'at'],
  outputs: ['lateDeliveryCount', 'lateDeliveryShare', 'recentLateDeliveries'],
  ranges: { lateDeliveryShare: share },
  init(state) {
    state[3] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'delivery') return;
    state[0]! += 1;
    if (!event.late) return;
    state[1]! += 1;
    const last = state[3]!;
    const elapsed = last === NEVER ? 0 : event.occurredAt - last;
    state[2] =
      elapsed >= 0 ? state[2]! * decay(elapsed, halfLifeDays) + 1 : state[2]! + decay(-elapsed, halfLifeDays);
    state[3] = Math.max(last, event.occurredAt);
  },
  value(state, now, out, at) {
    out[at] = state[1]!;
    out[at + 1] = state[0]! > 0 ? state[1]! / state[0]! : 0;
    out[at + 2] = state[2]! * decay(Math.max(0, now - state[3]!), halfLifeDays);
  },
} as const satisfies Feature;
