import { daysSince, type Feature, NEVER, share } from './feature.ts';

/**
 * Points of the loyalty programme: what is left of them, the share of all earned that was redeemed (0 before the first),
 * and days since the last redemption (0 where there was none). Whoever redeems has a reason to come back.
 */
export const loyaltyPoints = {
  name: 'loyaltyPoints',
  slots: ['earned', 'redeemed', 'expired', 'redeemedAt'],
  outputs: ['pointsBalance', 'pointsRedeemedShare', 'daysSincePointsRedeemed'],
  ranges: { pointsRedeemedShare: share },
  init(state) {
    state[3] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'loyaltyPoints') return;
    if (event.change === 'earned') state[0]! += event.points;
    if (event.change === 'expired') state[2]! += event.points;
    if (event.change !== 'redeemed') return;
    state[1]! += event.points;
    state[3] = Math.max(state[3]!, event.occurredAt);
  },
  value(state, now, out, at) {
    const [earned, redeemed, expired, redeemedAt] = state as unknown as [number, number, number, number];
    // Points from before the history may be redeemed within it.
    out[at] = Math.max(0, earned - redeemed - expired);
    out[at + 1] = earned > 0 ? Math.min(1, redeemed / earned) : 0;
    out[at + 2] = daysSince(redeemedAt, now);
  },
  unknown: (state) => (state[3] === NEVER ? ['daysSincePointsRedeemed'] : []),
} as const satisfies Feature;
