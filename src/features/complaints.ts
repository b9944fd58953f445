import type { Feature } from './feature.ts';

/** Complaints that are open now, and all that ever were. */
export const complaints = {
  name: 'complaints',
  slots: ['opened', 'resolved'],
  outputs: ['openComplaints', 'complaintCount'],
  update(state, event) {
    if (event.type !== 'contact') return;
    if (event.complaint === 'opened') state[0]! += 1;
    // One that was never opened here cannot be resolved: it must not cancel the next.
    if (event.complaint === 'resolved' && state[1]! < state[0]!) state[1]! += 1;
  },
  value(state, _now, out, at) {
    out[at] = state[0]! - state[1]!;
    out[at + 1] = state[0]!;
  },
} as const satisfies Feature;
