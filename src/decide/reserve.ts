/**
 * Reserves what a decision has chosen before it is answered: each offer's budget, then the customer's contacts. What cannot be
 * had is taken out of the choice, which goes on without it. A process that dies in between leaves only what lapses.
 */
import { dayMs } from '../domain/time.ts';
import type { Candidate, OfferMarket, OpenChoice } from '../offers/choose-offers.ts';
import type { Contact } from '../offers/contact-history.ts';
import { redeemableUntil } from '../offers/redeemable-until.ts';
import { reservedCostMinor } from '../offers/reserved-cost.ts';
import type { DecidingDeps } from './deps.ts';
import { contactFor, reportingMs } from './ledger/contact-for.ts';
import type { ContactLedger, ReadContacts } from './ledger/contact-ledger.ts';
import type { BudgetLedger } from './ledger/offer-budget.ts';
import type { MarketHolder } from './market.ts';

export type ReservingDeps = Pick<DecidingDeps, 'budgets' | 'contacts'> & {
  market: Pick<MarketHolder, 'refused' | 'onReservation'>;
};

/**
 * As many budgets as a decision is refused by before it takes all others for used up too. They were looked at before it chose:
 * more than one or two that were used up since are not to be expected.
 */
const refusalsMax = 20;

/**
 * false: the customer's contacts have changed since `contacts` was read, and nothing is reserved; decide again. Rejects when
 * Redis is away: what was reserved by then lapses.
 */
export async function reserveChoice(
  choice: OpenChoice,
  decisionId: string,
  contacts: ReadContacts,
  market: OfferMarket,
  deps: ReservingDeps,
): Promise<boolean> {
  const reserved = new Set<Candidate>();
  let refusals = 0;
  for (;;) {
    const next = choice.chosen().find((candidate) => !reserved.has(candidate));
    if (next === undefined) break;
    const outcome =
      refusals < refusalsMax || next.compiled.offer.budget === undefined
        ? await reserveBudget(next, choice, decisionId, market, deps.budgets)
        : 'exhausted';
    deps.market.onReservation?.(outcome);
    if (outcome === 'reserved') reserved.add(next);
    else {
      refusals++;
      const reason = outcome === 'paced' ? 'budget-paced' : 'budget-exhausted';
      deps.market.refused(next.compiled.offer.offerId, reason);
      choice.refuse(next, reason);
    }
  }
  const added = choice.chosen().flatMap((candidate) => contactOf(candidate, choice, decisionId, market));
  if (added.length === 0) return true;
  const { subjectId } = choice.facts;
  const { now } = choice.situation;
  if (await deps.contacts.write(subjectId, contacts.version, [...contacts.history, ...added], now))
    return true;
  await releaseBudgets(reserved, decisionId, now, deps.budgets);
  deps.market.onReservation?.('conflict');
  return false;
}

async function reserveBudget(
  { compiled: { offer }, held }: Candidate,
  { situation: { now } }: OpenChoice,
  decisionId: string,
  { economics }: OfferMarket,
  budgets: BudgetLedger,
) {
  if (offer.budget === undefined) return 'reserved';
  const until = held?.redeemableUntil ?? redeemableUntil(offer, now) ?? now + offer.redeemWithinDays * dayMs;
  const reservation = {
    id: held?.decisionId ?? decisionId,
    costMinor: reservedCostMinor(offer.benefit, economics),
  };
  const [outcome = 'exhausted'] = await budgets.reserve(offer, [reservation], until + reportingMs, now);
  return outcome;
}

/** Gives back what a decision has reserved that is not answered after all. Offers that were held before stay so. */
async function releaseBudgets(
  candidates: Iterable<Candidate>,
  decisionId: string,
  now: number,
  budgets: Pick<BudgetLedger, 'release'>,
): Promise<void> {
  for (const { compiled, held } of candidates)
    if (compiled.offer.budget !== undefined && held === undefined)
      await budgets.release(compiled.offer.offerId, decisionId, now);
}

/** All of a decision that is not answered after all. */
export async function releaseChoice(
  choice: OpenChoice,
  decisionId: string,
  { budgets, contacts }: { budgets: Pick<BudgetLedger, 'release'>; contacts: ContactLedger },
): Promise<void> {
  const { facts, situation } = choice;
  await releaseBudgets(choice.chosen(), decisionId, situation.now, budgets);
  await contacts.update(
    facts.subjectId,
    (history) => {
      const kept = history.filter((contact) => contact.decisionId !== decisionId);
      return kept.length === history.length ? history : kept;
    },
    situation.now,
  );
}

function contactOf(
  { compiled: { offer }, held }: Candidate,
  { situation }: OpenChoice,
  decisionId: string,
  { contactPolicy }: OfferMarket,
): Contact[] {
  const { channel, now, occasionId } = situation;
  const until = held === undefined ? redeemableUntil(offer, now) : undefined;
  return contactFor(
    offer,
    { decisionId, occasionId, channel, at: now, redeemableUntil: until },
    contactPolicy,
  );
}
