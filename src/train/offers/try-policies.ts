/**
 * What two policies would have done in logged decisions, and what each deed is expected to bring: the service's own decision
 * with the offer model of either, on the customer as she was then.
 *
 * The reward is money, by the terms of an offer's value: the margin of a usual order for each within the window, less what the
 * offer and the contact cost. Whether the customer stayed, and what staying is worth, are told beside it: that is so much more
 * than an order that its chance drowns all the rest in most logs.
 */

import type { LoggedActions, RewardModel } from '../../algorithms/off-policy/logged-actions.ts';
import { type OfferModel, readSubject } from '../../algorithms/offer-model/offer-model.ts';
import { customerFacts } from '../../decide/customer-facts.ts';
import { noContext } from '../../decide/decide.ts';
import type { ShopEvent } from '../../domain/event.ts';
import { DISCOUNTS, type Offer } from '../../domain/offer.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../features/record.ts';
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
import type { OfferSamples } from './samples.ts';

/** Of the actions, which are numbered: nothing is the first. */
export const nothing = 0;

/** What came of a logged decision: orders within its window; 0 or 1; NaN for `churned` where that is not known. */
export type Outcome = { orders: number; redeemed: number; churned: number };

export type PolicyTrial = {
  log: LoggedActions & { customer: Int32Array };
  /** By the candidate. It has not learnt from these decisions. */
  model: RewardModel;
  /** By row: 1 where the customer stayed, 0 where not; NaN where that is not known. And what the candidate expects of it. */
  stayed: Float64Array;
  staying: RewardModel;
  /** By row: what the customer is yet to bring as long as she stays, minor units. */
  remainingMinor: Float64Array;
  actions: number;
  /** By action; '' of nothing. */
  offerIds: readonly string[];
  candidate: Int32Array;
  champion: Int32Array;
  /** Value that the candidate expects of its choice; 0 of nothing. */
  score: Float64Array;
  /** Likewise the champion. */
  championScore: Float64Array;
  /** By row: whether an offer was made, and what both expected of its redemption. */
  offered: { row: number; redeemed: number; candidate: number; champion: number }[];
};

export type TrialOptions = {
  market: OfferMarket;
  models: Models;
  candidate: OfferModel;
  champion: Served<OfferModel> | undefined;
  /** An offer as it was when it was made; undefined: nobody knows it any more. */
  offerOf: (action: NonNullable<LoggedAction['offer']>) => Offer | undefined;
};

type Row = {
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

export function createPolicyTrial({ market, models, candidate, champion, offerOf }: TrialOptions) {
  const rows: Row[] = [];
  const offered: PolicyTrial['offered'] = [];
  const numbers = new Map<string, number>();
  const offers = new Map([...market.offers].map(({ offer }) => [offer.offerId, offer]));

  const numberOf = (offerId: string | undefined): number => {
    if (offerId === undefined) return nothing;
    const known = numbers.get(offerId) ?? numbers.size + 1;
    numbers.set(offerId, known);
    return known;
  };

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

  function expectedOf(row: number, action: number) {
    const expected = rows[row]?.expected.get(action);
    // Only what a policy does, what was done, and nothing are ever asked for.
    if (expected === undefined) throw new RangeError(`nothing was expected of action ${action}`);
    return expected;
  }

  return {
    /**
     * `record` is of the events before the decision, `earlier` what was decided for the customer before it. false: the offer is
     * known to nobody any more, so that nothing can be said.
     */
    add(
      customer: number,
      subjectId: string,
      record: CustomerRecord,
      action: LoggedAction,
      earlier: readonly LoggedAction[],
      outcome: Outcome,
    ): boolean {
      const { at, channel, placement } = action;
      const made = action.offer && offerOf(action.offer);
      if (action.offer !== undefined && made === undefined) return false;
      const contacts = earlier.flatMap((before) => contactOf(before, offerOf) ?? []);
      const factsWith = (served: Served<OfferModel> | undefined) =>
        customerFacts(
          subjectId,
          record,
          { ...models, offers: served },
          market.items,
          noContext,
          at,
          contacts,
        );
      const own = factsWith(servedAs(candidate));
      const others = factsWith(champion);
      const situation: Situation = {
        channel,
        placements: [placement],
        now: at,
        basketMinor: undefined,
        isBuyable: (itemId) => isBuyable(market.items.get(itemId)),
      };
      const choiceOf = (facts: CustomerFacts) => {
        const place = chooseOffers(market, facts, situation, { limit: 1 }).placements[0];
        return place === undefined || place.fallback ? undefined : place.offers[0];
      };
      const [chosen, championChosen] = [choiceOf(own), choiceOf(others)];
      const marginMinor = market.shop.marginRate * (own.averageOrderMinor ?? market.shop.medianPriceMinor);
      const { untouchedPurchase, untouchedChurn = 0 } = readSubject(candidate, own.features, channel);
      const expected = new Map([
        [nothing, { reward: untouchedPurchase * marginMinor, stays: 1 - untouchedChurn }],
      ]);
      let reward = outcome.orders * marginMinor;
      const expect = (offer: Offer | undefined) => {
        if (offer === undefined) return;
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
      };
      if (made !== undefined) {
        const terms = termsOf(made, own, situation);
        reward -=
          outcome.redeemed * terms.costWhenAcceptedMinor + terms.costWhenMadeMinor + terms.contactCostMinor;
        offered.push({
          row: rows.length,
          redeemed: outcome.redeemed,
          candidate: terms.acceptPropensity,
          champion: termsOf(made, others, situation).acceptPropensity,
        });
      }
      for (const offer of [
        made,
        chosen && offers.get(chosen.offerId),
        championChosen && offers.get(championChosen.offerId),
      ])
        expect(offer);
      rows.push({
        customer,
        action: numberOf(made?.offerId),
        propensity: action.propensity,
        reward,
        candidate: numberOf(chosen?.offerId),
        champion: numberOf(championChosen?.offerId),
        score: chosen?.expectedValue ?? 0,
        championScore: championChosen?.expectedValue ?? 0,
        stayed: candidate.churn === undefined ? Number.NaN : 1 - outcome.churned,
        remainingMinor: own.remainingLifetimeValueMinor ?? KEPT_ORDERS * marginMinor,
        expected,
      });
      return true;
    },
    finish(): PolicyTrial {
      return {
        log: {
          action: Int32Array.from(rows, ({ action }) => action),
          propensity: Float64Array.from(rows, ({ propensity }) => propensity),
          reward: Float64Array.from(rows, ({ reward }) => reward),
          customer: Int32Array.from(rows, ({ customer }) => customer),
        },
        model: (row, action) => expectedOf(row, action).reward,
        stayed: Float64Array.from(rows, ({ stayed }) => stayed),
        staying: (row, action) => expectedOf(row, action).stays,
        remainingMinor: Float64Array.from(rows, ({ remainingMinor }) => remainingMinor),
        actions: numbers.size + 1,
        offerIds: ['', ...numbers.keys()],
        candidate: Int32Array.from(rows, (row) => row.candidate),
        champion: Int32Array.from(rows, (row) => row.champion),
        score: Float64Array.from(rows, ({ score }) => score),
        championScore: Float64Array.from(rows, ({ championScore }) => championScore),
        offered,
      };
    },
  };
}

/**
 * Both policies on some of a customer's decisions: `rows` of the samples, in the order of time, each with the customer as she
 * was before it. Answers the rows of which something can be said.
 */
export function tryCustomer(
  trial: ReturnType<typeof createPolicyTrial>,
  { log, at, action: positions, customerIds }: OfferSamples,
  rows: readonly number[],
  events: readonly ShopEvent[],
  actions: readonly LoggedAction[],
): number[] {
  const record = emptyRecord();
  let next = 0;
  return rows.filter((row) => {
    const decidedAt = at[row]!;
    for (; next < events.length && events[next]!.occurredAt < decidedAt; next++)
      applyEvent(record, events[next]!);
    const customer = log.customer[row]!;
    return trial.add(
      customer,
      customerIds[customer]!,
      record,
      actions[positions[row]!]!,
      actions.filter((other) => other.at < decidedAt),
      { orders: log.orders[row]!, redeemed: log.redeemed[row]!, churned: log.churned[row]! },
    );
  });
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
    redeemableUntil: redeemableUntil(made, at) ?? at,
    state: 'confirmed',
    stateAt: at,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}
