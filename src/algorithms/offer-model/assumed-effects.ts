/**
 * What is assumed of an offer's effects, by kind of benefit, before decisions tell: assumptions all of them, where learning begins.
 */

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

/** `kind`: of the benefit; one that is not known is taken for the usual. */
export function persuadedShareOf(kind: string): number {
  return kind in PERSUADED_SHARE
    ? PERSUADED_SHARE[kind as keyof typeof PERSUADED_SHARE]
    : usualPersuadedShare;
}

/** By how much P(staying) grows with a service contact, and with another offer that is to keep: redeemed or not. */
const keptByService = 0.03;
const keptByRetention = 0.01;

export function keptShareOf({ kind, retention }: { kind: string; retention: boolean }): number {
  if (kind === 'serviceContact') return keptByService;
  return retention ? keptByRetention : 0;
}

/**
 * Share of those who dismiss an offer that leave because of it. Dismissals are seen by themselves, and can be foretold; what else
 * contact drives away is too rare for a log to tell.
 */
export const harmedShare = 0.5;
