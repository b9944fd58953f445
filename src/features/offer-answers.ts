/** What the customer did with offers of late, each time: what caps on redemptions and rules about dismissals go by. */
import type { ShopEvent } from '../domain/event.ts';
import type { OfferAnswer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

/** Of each outcome: beyond, the oldest makes room. */
export const offerAnswersMax = 100;
/** The longest window that a rule of contact may have. */
const keptMs = 366 * dayMs;

/**
 * Folds an event into the answers, in place; they stay in the order of time. An offer that was given once is redeemed once, however
 * many tell of it, by whichever of the decisions that showed it: the earliest stands.
 */
export function updateOfferAnswers(answers: OfferAnswer[], event: ShopEvent): void {
  if (event.type !== 'offerOutcome') return;
  const { offerId, outcome, occurredAt: at } = event;
  if (outcome !== 'redeemed' && outcome !== 'dismissed') return;
  const answer: OfferAnswer = { offerId, outcome, at };
  if (outcome === 'redeemed') {
    answer.givenBy = event.heldSince ?? event.decisionId;
    const known = answers.findIndex((one) => isSameRedemption(one, answer));
    if (known !== -1) {
      if (answers[known]!.at <= at) return;
      answers.splice(known, 1);
    }
  }
  const later = answers.findIndex((one) => one.at > at);
  answers.splice(later === -1 ? answers.length : later, 0, answer);
  const newestAt = answers.at(-1)?.at ?? at;
  const old = answers.findIndex((one) => newestAt - one.at <= keptMs);
  answers.splice(0, old);
  if (answers.filter((one) => one.outcome === outcome).length > offerAnswersMax)
    answers.splice(
      answers.findIndex((one) => one.outcome === outcome),
      1,
    );
}

function isSameRedemption(one: OfferAnswer, other: OfferAnswer): boolean {
  return one.outcome === 'redeemed' && one.offerId === other.offerId && one.givenBy === other.givenBy;
}
