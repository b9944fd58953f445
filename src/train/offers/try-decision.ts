/**
 * What two policies would have done in logged decisions, and what each deed is expected to bring: the service's own decision
 * with the offer model of either, on the customer as she was then.
 *
 * The reward is money, by the terms of an offer's value: the margin of a usual order for each within the window, less what the
 * offer and the contact cost. Whether the customer stayed, and what staying is worth, are told beside it: that is so much more
 * than an order that its chance drowns all the rest in most logs.
 */
import { type OfferModel, readSubject } from '../../algorithms/offer-model/offer-model.ts';
import { customerFacts } from '../../decide/customer-facts.ts';
import { noContext } from '../../decide/decide.ts';
import { DISCOUNTS, type Offer } from '../../domain/offer.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { LoggedAction } from '../../history/logged-decisions.ts';
import { chooseOffers } from '../../offers/choose-offers.ts';
import type { Contact } from '../../offers/contact-history.ts';
import type { CustomerFacts, Situation } from '../../offers/customer-facts.ts';
import type { OfferMarket } from '../../offers/offer-market.ts';
import { offerSubject } from '../../offers/offer-subject.ts';
import { redeemableUntil } from '../../offers/redeemable-until.ts';
import { isBuyable } from '../../offers/shop-statistics.ts';
import { KEPT_ORDERS, offerValue } from '../../offers/value.ts';
import type { Models, Served } from '../../scoring/served.ts';

/** Of the actions, which are numbered: nothing is the first. */
export const nothing = 0;

/** What came of a logged decision: orders within its window; 0 or 1; NaN for `churned` where that is not known. */
export type Outcome = { orders: number; redeemed: number; churned: number };

/** Of an offer that was made: whether it was redeemed (0 or 1), and what both policies' models expected of that. */
export type Redemption = { redeemed: number; candidate: number; champion: number };

export type TrialOptions = {
  market: OfferMarket;
  models: Models;
  candidate: OfferModel;
  champion: Served<OfferModel> | undefined;
  /** An offer as it was when it was made; undefined: nobody knows it any more. */
  offerOf: (action: NonNullable<LoggedAction['offer']>) => Offer | undefined;
};

export type TriedRow = {
  customer: number;
  action: number;
  propensity: number;
  reward: number;
  candidate: number;
  champion: number;
  score: number;
  championScore: number;
  stayed: number;
  remainingMinor: number;
  /** By action. */
  expected: ReadonlyMap<number, { reward: number; stays: number }>;
};

/** A logged decision, with the customer as she was then. */
export type Trying = {
  customer: number;
  subjectId: string;
  /** Of the events before the decision. */
  record: CustomerRecord;
  action: LoggedAction;
  /** What was decided for the customer before it. */
  earlier: readonly LoggedAction[];
  outcome: Outcome;
};

/** Both policies on one decision at a time; `numberOf` numbers actions as they come up. */
export function createDecisionTrial(
  { market, models, candidate, champion, offerOf }: TrialOptions,
  numberOf: (offerId: string | undefined) => number,
) {
  const offers = new Map([...market.offers].map(({ offer }) => [offer.offerId, offer]));

  function termsOf(offer: Offer, facts: CustomerFacts, situation: Situation) {
    const { channel, basketMinor } = situation;
    const contactCostMinor = market.policy.contact.costMinor[channel] ?? 0;
    const subject = offers.has(offer.offerId)
      ? market.subjectOf(offer)
      : offerSubject(offer, market.items, market.shop);
    return offerValue(offer, subject, facts, market.countsOf(offer.offerId), {
      channel,
      shop: market.shop,
      economics: market.economics,
      contactCostMinor,
      basketMinor,
      weights: market.policy.economics,
    }).terms;
  }

  function choiceOf(facts: CustomerFacts, situation: Situation) {
    const place = chooseOffers(market, facts, situation, { limit: 1 }).placements[0];
    return place === undefined || place.fallback ? undefined : place.offers[0];
  }

  /** What the candidate expects of nothing, and of each of the offers. */
  function expectations(
    made: readonly (Offer | undefined)[],
    own: CustomerFacts,
    situation: Situation,
    marginMinor: number,
  ): TriedRow['expected'] {
    const subject = readSubject(candidate, own.features, situation.channel);
    const { untouchedPurchase, untouchedChurn = 0 } = subject;
    const expected = new Map([
      [nothing, { reward: untouchedPurchase * marginMinor, stays: 1 - untouchedChurn }],
    ]);
    for (const offer of made) {
      if (offer === undefined) continue;
      const terms = termsOf(offer, own, situation);
      const { uplift, churnReduction, acceptPropensity, costWhenAcceptedMinor } = terms;
      expected.set(numberOf(offer.offerId), {
        reward:
          (untouchedPurchase + uplift) * marginMinor -
          acceptPropensity * costWhenAcceptedMinor -
          terms.costWhenMadeMinor -
          terms.contactCostMinor,
        stays: 1 - untouchedChurn + churnReduction,
      });
    }
    return expected;
  }

  /** undefined: the offer is known to nobody any more. `redemption`: where one was made that she had not already. */
  return ({
    customer,
    subjectId,
    record,
    action,
    earlier,
    outcome,
  }: Trying): { row: TriedRow; redemption: Redemption | undefined } | undefined => {
    const { at, channel, placement } = action;
    const made = action.offer && offerOf(action.offer);
    if (action.offer !== undefined && made === undefined) return undefined;
    const contacts = earlier.flatMap((before) => contactOf(before, offerOf) ?? []);
    const factsWith = (served: Served<OfferModel> | undefined) =>
      customerFacts(subjectId, record, { ...models, offers: served }, market.items, noContext, at, contacts);
    const own = factsWith(servedAs(candidate));
    const others = factsWith(champion);
    const situation: Situation = {
      channel,
      placements: [placement],
      now: at,
      basketMinor: undefined,
      isBuyable: (itemId) => isBuyable(market.items.get(itemId)),
    };
    const [chosen, championChosen] = [choiceOf(own, situation), choiceOf(others, situation)];
    const marginMinor = market.shop.marginRate * (own.averageOrderMinor ?? market.shop.medianPriceMinor);
    const paid = made && termsOf(made, own, situation);
    const costMinor =
      paid === undefined
        ? 0
        : outcome.redeemed * paid.costWhenAcceptedMinor + paid.costWhenMadeMinor + paid.contactCostMinor;
    const acted = [
      made,
      chosen && offers.get(chosen.offerId),
      championChosen && offers.get(championChosen.offerId),
    ];
    const expected = expectations(acted, own, situation, marginMinor);
    const row: TriedRow = {
      customer,
      action: numberOf(made?.offerId),
      propensity: action.propensity,
      reward: outcome.orders * marginMinor - costMinor,
      candidate: numberOf(chosen?.offerId),
      champion: numberOf(championChosen?.offerId),
      score: chosen?.expectedValue ?? 0,
      championScore: championChosen?.expectedValue ?? 0,
      stayed: candidate.churn === undefined ? Number.NaN : 1 - outcome.churned,
      remainingMinor: own.remainingLifetimeValueMinor ?? KEPT_ORDERS * marginMinor,
      expected,
    };
    // What is shown again is no further offer that could be redeemed or not.
    const isAnother = action.offer?.heldSince === undefined;
    const redemption =
      made && paid && isAnother
        ? {
            redeemed: outcome.redeemed,
            candidate: paid.acceptPropensity,
            champion: termsOf(made, others, situation).acceptPropensity,
          }
        : undefined;
    return { row, redemption };
  };
}

/** The version is of no use here: nothing is logged. */
function servedAs(model: OfferModel): Served<OfferModel> {
  return { version: '', model } as Served<OfferModel>;
}

/** What was offered before, as the ledger would have kept it. */
function contactOf(
  { decisionId, at, channel, offer }: LoggedAction,
  offerOf: TrialOptions['offerOf'],
): Contact | undefined {
  const made = offer && offerOf(offer);
  if (made === undefined) return undefined;
  return {
    occasionId: decisionId,
    decisionId,
    offerId: made.offerId,
    channel,
    at,
    discount: DISCOUNTS.has(made.benefit.kind),
    // What she had already is open by the decision that made it.
    redeemableUntil: (offer?.heldSince === undefined && redeemableUntil(made, at)) || at,
    state: 'confirmed',
    stateAt: at,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}
