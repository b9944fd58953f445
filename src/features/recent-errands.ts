import { isSameErrand } from '../algorithms/errand.ts';
import { decay, type Feature, NEVER, startsOrder } from './feature.ts';

const halfLivesDays = [30, 90, 360] as const;

/** Errands, each counting half for every 30, 90 or 360 days since: whether a customer comes more or less often of late. */
export const recentErrands = {
  name: 'recentErrands',
  slots: ['of30', 'of90', 'of360', 'lastOrderAt'],
  outputs: ['recentErrands30', 'recentErrands90', 'recentErrands360'],
  init(state) {
    state[3] = NEVER;
  },
  update(state, event, record) {
    if (!startsOrder(event, record)) return;
    const last = state[3]!;
    const at = event.occurredAt;
    if (last === NEVER || !isSameErrand(last, at)) {
      // One that comes late has decayed already.
      for (const [n, halfLife] of halfLivesDays.entries())
        state[n] =
          last === NEVER || at >= last
            ? 1 + (last === NEVER ? 0 : state[n]! * decay(at - last, halfLife))
            : state[n]! + decay(last - at, halfLife);
    }
    // Sums stand as of the last order: an order of the same errand moves the instant.
    else if (at > last)
      for (const [n, halfLife] of halfLivesDays.entries()) state[n]! *= decay(at - last, halfLife);
    state[3] = Math.max(last, at);
  },
  value(state, now, out, at) {
    const elapsed = state[3] === NEVER ? 0 : Math.max(0, now - state[3]!);
    for (const [n, halfLife] of halfLivesDays.entries()) out[at + n] = state[n]! * decay(elapsed, halfLife);
  },
} as const satisfies Feature;
