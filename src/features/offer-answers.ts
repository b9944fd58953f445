/** What the customer did with offers of late, each time: what caps on redemptions and rules about dismissals go by. */
import type { ShopEvent } from '../domain/event.ts';
import type { OfferAnswer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

/** Of each outcome: beyond, the oldest makes room. */
export const offerAnswersMax = 100;
/** The longest window that a rule of contact may have. */
const keptMs = 366 * dayMs;

/** Folds an event into the answers, in place; they stay in the order of time. */
export function updateOfferAnswers(answers: OfferAnswer[], event: ShopEvent): void {
  if (event.type !== 'offerOutcome') return;
  const { offerId, outcome, occurredAt: at } = event;
  if (outcome !== 'redeemed' && outcome !== 'dismissed') return;
  const later = answers.findIndex((answer) => answer.at > at);
  answers.splice(later === -1 ? answers.length : later, 0, { offerId, outcome, at });
  const newestAt = answers.at(-1)?.at ?? at;
  const old = answers.findIndex((answer) => newestAt - answer.at <= keptMs);
  answers.splice(0, old);
  if (answers.filter((answer) => answer.outcome === outcome).length > offerAnswersMax)
    answers.splice(
      answers.findIndex((answer) => answer.outcome === outcome),
      1,
    );
}
