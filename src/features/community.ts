import { addFading, fadingCount } from './fading-count.ts';
import { type Feature, NEVER } from './feature.ts';

const halfLifeDays = 90;

/** Taking part in what goes on around the shop: of late (each counts 1 and halves in every 90 days), and ever. */
export const community = {
  name: 'community',
  slots: ['recent', 'countedAt', 'count', 'referrals'],
  outputs: ['recentCommunity', 'communityCount', 'referralCount'],
  init(state) {
    state[1] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'community') return;
    addFading(state, 0, event.occurredAt, halfLifeDays);
    state[2]! += 1;
    if (event.activity === 'referral') state[3]! += 1;
  },
  value(state, now, out, at) {
    out[at] = fadingCount(state, 0, now, halfLifeDays);
    out[at + 1] = state[2]!;
    out[at + 2] = state[3]!;
  },
} as const satisfies Feature;
