/**
 * Offers of a decision that stands which are no longer to be made: the customer no longer wants them, has redeemed them or is
 * not to be sold to, or the shop has changed or deleted them. The decision gives way to another, which says so; what was
 * reserved for them goes back.
 */
import {
  type DecidedOffer,
  type Decision,
  type ExclusionReason,
  WITHDRAWAL_REASONS,
  WithdrawalReason,
} from '../domain/decision.ts';
import { isSelling, type Offer } from '../domain/offer.ts';
import type { CustomerRecord } from '../features/record.ts';
import type { Contact } from '../offers/contact-history.ts';
import type { CompiledOffer } from '../offers/eligibility.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import { compiledOffer } from './compiled-offers.ts';
import { customerFacts, withdrawalFacts } from './customer-facts.ts';
import { noContext } from './decide.ts';
import type { LoggedDecision } from './decision-log.ts';
import type { DecidingDeps } from './deps.ts';
import { modelsFor } from './trial-models.ts';

export type WithdrawalDeps = Pick<DecidingDeps, 'catalogue' | 'catalogueStore' | 'models' | 'now'>;

/** What has ended an offer of a decision that stands. */
type Withdrawn = { offer: DecidedOffer; reasonCode: WithdrawalReason };

/** A decision that gives way. */
export type Ended = { decision: LoggedDecision; withdrawn: readonly Withdrawn[] };

/** A fallback is content for everybody: only its own rules end it, and that it sells, to whom nothing may be sold. */
export async function withdrawnOf(
  { placements: [place], channel, decidedAt }: LoggedDecision,
  subjectId: string,
  record: CustomerRecord | undefined,
  { contactPolicy: usual, experiments, items }: OfferMarket,
  deps: WithdrawalDeps,
): Promise<Withdrawn[]> {
  if (place === undefined || place.offers.length === 0) return [];
  const now = deps.now();
  const settings = experiments.settingsFor(subjectId, now);
  const { contactPolicy = usual } = settings;
  const facts = withdrawalFacts(record, now);
  const rule = place.fallback
    ? undefined
    : contactPolicy.withdrawalRule(facts, channel, Date.parse(decidedAt), now);
  const situation = { ...situationOfStanding, channel, placements: [place.placement], now };
  const changedRule = (compiled: CompiledOffer) => {
    if (place.fallback) return undefined;
    const known = customerFacts(subjectId, record, modelsFor(deps.models, settings), items, noContext, now);
    return compiled.exclusionOfCustomer(known, situation, () => undefined);
  };
  const reasons = await Promise.all(
    place.offers.map(async (offer) => {
      const ended = await whyEnded(offer, deps, (current) => {
        const compiled = compiledOffer(current);
        const isAsItWas = compiled.version === offer.offerVersion;
        const unsellable =
          place.fallback && isSelling(compiled.offer) ? contactPolicy.whyUnsellable(facts, now) : undefined;
        return (
          compiled.exclusionOfOffer(situation) ??
          unsellable ??
          (isAsItWas ? undefined : changedRule(compiled))
        );
      });
      // What stands names the benefit alone; that content sells, the offer says.
      return ended ?? rule?.({ ...offer, sells: deps.catalogue.offers.get(offer.offerId)?.sells });
    }),
  );
  return place.offers.flatMap((offer, at) => {
    const reasonCode = reasons[at];
    return reasonCode === undefined ? [] : [{ offer, reasonCode }];
  });
}

/** What is out of stock by now was on offer; what is in the basket, nobody says. */
const situationOfStanding = { basketMinor: undefined, isBuyable: () => true };

/**
 * Why the offer as it is now is no longer to be made. This process's copy may be behind the one that decided: only Redis can say that
 * an offer is gone, or no longer what it was.
 */
async function whyEnded(
  { offerId }: DecidedOffer,
  { catalogue, catalogueStore }: Pick<WithdrawalDeps, 'catalogue' | 'catalogueStore'>,
  why: (offer: Offer) => ExclusionReason | undefined,
): Promise<WithdrawalReason | undefined> {
  const known = catalogue.offers.get(offerId);
  if (known !== undefined && why(known) === undefined) return undefined;
  const current = await catalogueStore.getOffer(offerId);
  return current === undefined ? 'deleted' : WithdrawalReason.safeParse(why(current)).data;
}

export function replacedBy({ decision: { decisionId }, withdrawn }: Ended): Decision['replaces'] {
  const reasons = new Set(withdrawn.map(({ reasonCode }) => reasonCode));
  const reasonCode = WITHDRAWAL_REASONS.find((reason) => reasons.has(reason)) ?? [...reasons][0];
  return reasonCode && { decisionId, offerIds: withdrawn.map(({ offer }) => offer.offerId), reasonCode };
}

/**
 * Gives back what was reserved for the offers that have ended (ledger/replay-ledgers.ts does the same); what she had been given
 * before, by another decision, she keeps.
 */
export async function giveBack(
  { decision, withdrawn }: Ended,
  { budgets, now }: Pick<DecidingDeps, 'budgets' | 'now'>,
): Promise<void> {
  await Promise.all(
    withdrawn
      .filter(({ offer }) => offer.heldSince === undefined)
      .map(({ offer }) => budgets.release(offer.offerId, decision.decisionId, now())),
  );
}

/** What nobody has told to have reached the customer counts as never sent. */
export function isWithdrawn({ decision: { decisionId }, withdrawn }: Ended): (contact: Contact) => boolean {
  const ended = new Set<string>(withdrawn.map(({ offer }) => offer.offerId));
  return (contact) =>
    contact.decisionId === decisionId && ended.has(contact.offerId) && contact.state === 'reserved';
}
