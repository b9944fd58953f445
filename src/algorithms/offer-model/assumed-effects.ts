/**
 * What is assumed of offers before decisions tell, all of it in this one place: where learning begins (learn-sizes.ts), and
 * what is decided by as long as no offer model is served (src/offers/prior-effect.ts).
 *
 * Shares of acceptances, and acceptance itself, are common sense of retail: a few in a hundred take an offer, half of them
 * because of it. Sizes of keeping, of annoyance and of dismissals were chosen by what is true in simulated shops
 * (src/simulation, seeds from 101; docs/decisions/0016, 0019 and the one on assumptions alone): another shop's are others, so
 * they are uncertain by half of themselves and give way to its log.
 */

/** P(redeemed | made). It weighs as much as so many decisions, and gives way to what is counted of the offer. */
export const ACCEPTANCE_ASSUMED = {
  percentOff: 0.05,
  amountOff: 0.05,
  freeDelivery: 0.06,
  bundle: 0.03,
  gift: 0.05,
  loyaltyPoints: 0.04,
  pointsMultiplier: 0.05,
  tierTrial: 0.08,
  earlyAccess: 0.03,
  serviceContact: 0.15,
  communityInvitation: 0.03,
  content: 0.01,
} as const;
export const ACCEPTANCE_DECISIONS = 50;

/** Share of the acceptances that are orders which would not have come otherwise. */
const PERSUADED_SHARE = {
  percentOff: 0.5,
  amountOff: 0.5,
  freeDelivery: 0.5,
  bundle: 0.4,
  gift: 0.4,
  loyaltyPoints: 0.4,
  pointsMultiplier: 0.4,
  tierTrial: 0.3,
  earlyAccess: 0.3,
  // A call or an apology brings no order by itself.
  serviceContact: 0,
  communityInvitation: 0.1,
  content: 0.5,
} as const;
const usualPersuadedShare = 0.4;

/** Of an offer's share, before its own decisions tell. */
export const PERSUADED_DEVIATION = 0.2;

/** `kind`: of the benefit; one that is not known is taken for the usual. */
export function persuadedShareOf(kind: string): number {
  return kind in PERSUADED_SHARE
    ? PERSUADED_SHARE[kind as keyof typeof PERSUADED_SHARE]
    : usualPersuadedShare;
}

/** `size`: of P(staying), for a cause of 1; `deviation` before the log; `shown`: the share of it that is seen within the horizon. */
export const KEEPING_ASSUMED = {
  /** Who dismisses what is offered is driven away, slowly: most of it comes later. Besides `ANNOYANCE`. */
  dismissal: { size: 0.03, deviation: 0.02, shown: 0.25 },
  /** Of an offer that is meant to keep, to somebody who is leaving for sure. */
  retention: { size: 0.07, deviation: 0.035, shown: 0.5 },
  /** Of a call or an apology, to anybody and besides to the most aggrieved. */
  service: { size: 0.02, deviation: 0.01, shown: 0.5 },
  grievance: { size: 0.03, deviation: 0.015, shown: 0.5 },
  /** Of an invitation to somebody who takes part. */
  invitation: { size: 0.01, deviation: 0.005, shown: 0.5 },
} as const;

/** Of what is not known of any two of these sizes but the first: where one of them keeps nobody, the others hardly do. */
export const KEEPING_CORRELATION = 0.8;

/**
 * Who dismisses an offer also leaves out orders for a while: so many of hers in the days after it, which she takes up again
 * only in the course of `days`. Of the orders of a year that is a share of leftOut · days / 365.
 */
export const ANNOYANCE = { leftOut: 0.25, deviation: 0.1, days: 60 } as const;

/**
 * P(dismissed | read and not taken) of a message that is no service contact, of somebody who has not answered any; it weighs as
 * much as so many answers of her own, and gives way to what share of them dismissed. Where she has come to the shop by herself,
 * a place on a page is looked past: it annoys nobody.
 */
export const DISMISSAL_ASSUMED = { share: 0.05, answers: 1 } as const;

/** P(leaving) of anybody, where no log tells it. */
export const usualLeaving = 0.3;
