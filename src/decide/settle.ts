/**
 * Makes sure of what was chosen, for one decision or for many at once: budgets are reserved and contacts written. What cannot
 * be had is refused, and the choice goes on without it. Whoever is killed in between leaves only what lapses.
 */
import type { Channel } from '../domain/channel.ts';
import type { ExclusionReason } from '../domain/decision.ts';
import { DISCOUNTS } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import type { Candidate, OpenChoice } from '../offers/choose-offers.ts';
import type { Contact } from '../offers/contact-history.ts';
import { type Economics, largestCostMinor } from '../offers/cost.ts';
import { redeemableUntil } from '../offers/redeemable-until.ts';
import type { ContactLedger, ReadContacts } from './ledger/contact-ledger.ts';
import { type BudgetLedger, type Reserved, reservationsMax } from './ledger/offer-budget.ts';

export type OpenDecision = {
  decisionId: string;
  subjectId: string;
  choice: OpenChoice;
  /** The history that it was chosen by. */
  contacts: ReadContacts;
};

/** A redemption may be told of so long after the offer ended, and still finds its reservation. */
const lateOutcomeMs = 2 * dayMs;

const REFUSALS: Readonly<Record<Exclude<Reserved, 'reserved'>, ExclusionReason>> = {
  exhausted: 'budget-exhausted',
  paced: 'budget-paced',
};

/** Reserves for every offer that is chosen the most that it can cost. Safe to repeat: a decision reserves an offer once. */
export async function reserveBudgets(
  decisions: readonly OpenDecision[],
  budgets: Pick<BudgetLedger, 'reserve'>,
  economics: Economics,
  now: number,
): Promise<void> {
  const settled = new Set<Candidate>();
  // A refusal brings the next best, which is to be reserved in its turn; each round refuses something, or is the last.
  for (;;) {
    const wanted = new Map<string, { decision: OpenDecision; candidate: Candidate }[]>();
    for (const decision of decisions)
      for (const candidate of decision.choice.chosen()) {
        const { offer } = candidate.compiled;
        if (offer.budget === undefined || settled.has(candidate)) continue;
        const ofOffer = wanted.get(offer.offerId) ?? [];
        if (ofOffer.length === 0) wanted.set(offer.offerId, ofOffer);
        ofOffer.push({ decision, candidate });
      }
    if (wanted.size === 0) return;
    await Promise.all(
      [...wanted.values()].map(async (ofOffer) => {
        for (let start = 0; start < ofOffer.length; start += reservationsMax) {
          const some = ofOffer.slice(start, start + reservationsMax);
          const [first] = some;
          if (first === undefined) return;
          const { offer } = first.candidate.compiled;
          const costMinor = largestCostMinor(offer.benefit, economics) ?? 0;
          const answers = await budgets.reserve(
            offer,
            some.map(({ decision }) => ({ id: decision.decisionId, costMinor })),
            (redeemableUntil(offer, now) ?? now) + lateOutcomeMs,
            now,
          );
          some.forEach(({ decision, candidate }, at) => {
            const answer = answers[at];
            if (answer === 'reserved') settled.add(candidate);
            else decision.choice.refuse(candidate, REFUSALS[answer ?? 'exhausted']);
          });
        }
      }),
    );
  }
}

/** Gives back what a decision reserved, where it does not come to be. */
export async function releaseBudgets(
  { decisionId, choice }: Pick<OpenDecision, 'decisionId' | 'choice'>,
  budgets: Pick<BudgetLedger, 'release'>,
  now: number,
): Promise<void> {
  await Promise.all(
    choice
      .chosen()
      .filter(({ compiled }) => compiled.offer.budget !== undefined)
      .map(({ compiled }) => budgets.release(compiled.offer.offerId, decisionId, now)),
  );
}

export type Occasion = {
  channel: Channel;
  /** What is shown on one occasion is one contact: a message, however many places it has. */
  occasionId: string;
};

/**
 * Writes the contacts of what is chosen. Answers for each decision whether they stand: false where somebody else has
 * decided for the customer meanwhile, so that it is to be decided anew.
 */
export async function writeContacts(
  decisions: readonly OpenDecision[],
  occasion: Occasion,
  contacts: Pick<ContactLedger, 'write'>,
  now: number,
): Promise<boolean[]> {
  return Promise.all(
    decisions.map(async ({ decisionId, subjectId, choice, contacts: { history, version } }) => {
      const chosen = choice.chosen();
      if (chosen.length === 0) return true;
      const others = history.filter((contact) => contact.decisionId !== decisionId);
      const own = chosen.map((candidate) => contactOf(candidate, decisionId, occasion, now));
      return contacts.write(subjectId, version, [...others, ...own], now);
    }),
  );
}

function contactOf(
  { compiled: { offer } }: Candidate,
  decisionId: string,
  { channel, occasionId }: Occasion,
  now: number,
): Contact {
  const until = redeemableUntil(offer, now) ?? now;
  return {
    occasionId,
    decisionId,
    offerId: offer.offerId,
    channel,
    at: now,
    discount: DISCOUNTS.has(offer.benefit.kind),
    redeemableUntil: until,
    // What was answered is taken for said: nobody tells when a page or a message has been shown.
    state: 'confirmed',
    stateAt: now,
    expiresAt: until,
  };
}
