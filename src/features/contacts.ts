import { addFading, fadingCount } from './fading-count.ts';
import { type Feature, NEVER } from './feature.ts';

const halfLifeDays = 90;

/**
 * How often the customer got in touch, of late (each counts 1 and halves in every 90 days) and ever. What belongs to a
 * complaint is told by `complaints`: a question is a sign of life, a complaint one of trouble.
 */
export const contacts = {
  name: 'contacts',
  slots: ['recent', 'countedAt', 'count'],
  outputs: ['recentContacts', 'contactCount'],
  init(state) {
    state[1] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'contact' || event.complaint !== undefined) return;
    addFading(state, 0, event.occurredAt, halfLifeDays);
    state[2]! += 1;
  },
  value(state, now, out, at) {
    out[at] = fadingCount(state, 0, now, halfLifeDays);
    out[at + 1] = state[2]!;
  },
} as const satisfies Feature;
