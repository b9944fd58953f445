/**
 * The engine itself in the closed loop: what is known of a customer, what an offer is worth in money and which one is drawn
 * are the service's own code, over effects that are learnt from the log alone.
 */

import {
  type CustomerValueModel,
  customerValueModel,
  type ItemMargins,
  purchaseModelOf,
} from '../../../algorithms/customer-value/customer-value-model.ts';
import { createRng } from '../../../algorithms/rng.ts';
import { customerFacts } from '../../../decide/customer-facts.ts';
import { noContext } from '../../../decide/decide.ts';
import { DecisionPolicy } from '../../../domain/decision-policy.ts';
import type { Offer } from '../../../domain/offer.ts';
import { FEATURE_NAMES } from '../../../features/registry.ts';
import type { OfferCounts } from '../../../offers/accept-propensity.ts';
import { chooseOffers } from '../../../offers/choose-offers.ts';
import { type CompiledContactPolicy, compileContactPolicy } from '../../../offers/contact-policy.ts';
import { contentVersion } from '../../../offers/content-version.ts';
import { type CompiledOffer, compileOffer } from '../../../offers/eligibility.ts';
import { compileExperiments } from '../../../offers/experiments.ts';
import type { Drawing, OfferMarket } from '../../../offers/offer-market.ts';
import { type OfferSubject, offerSubject } from '../../../offers/offer-subject.ts';
import { DEFAULT_MARGIN_RATE, isBuyable, marginRateOf } from '../../../offers/shop-statistics.ts';
import { customerPastOf } from '../../../scoring/customer-past.ts';
import type { Models } from '../../../scoring/served.ts';
import { ECONOMICS } from '../../../simulation/redemption.ts';
import { choosePurchaseModel, fitSpend, purchasesOf } from '../../../train/value/fit-customer-value.ts';
import { type Asked, contactCostMinor, type LoopPolicy, type Proposal } from './closed-loop.ts';
import type { ClosedShop } from './closed-shop.ts';
import { customerAtStart } from './closed-shop.ts';
import { type DecidedLog, redeemed } from './decided-log.ts';
import { type Champion, learnOffers, learnThroughGate } from './learn-offers.ts';

export type EngineOptions = {
  /** The rules that it keeps; the service's own, but where a test takes them away. */
  contactPolicy?: CompiledContactPolicy;
  /**
   * `always`: what has been learnt is served. `gated`: only after it has passed the gate of promotion, as in the service; until then it decides by what is
   * assumed of offers. `never`: by that throughout.
   */
  learns?: 'always' | 'gated' | 'never';
  /** Learning takes longer than all else. */
  everyWeeks?: number;
};

export function nextbestPolicy(
  closed: ClosedShop,
  seed: number,
  { contactPolicy, learns = 'always', everyWeeks = 4 }: EngineOptions = {},
): LoopPolicy {
  const rng = createRng('bench decide', seed, 'nextbest');
  const counts = new Map<string, OfferCounts>();
  const market = { ...marketOf(closed, counts), ...(contactPolicy !== undefined && { contactPolicy }) };
  const compiled = closed.shop.offers.map(({ offer }) => compileOffer(offer, FEATURE_NAMES));
  let models = learns === 'never' ? NO_MODELS : undefined;
  let champion: Champion | undefined;
  let round = 0;
  return {
    name: ENGINES[learns],
    async learn(log, now) {
      const isDue = round++ % everyWeeks === 0;
      count(log, closed, counts);
      if (!isDue || (learns === 'never' && models?.customerValue !== undefined)) return;
      const customerValue = models?.customerValue ?? (await fitCustomerValue(closed, seed));
      const rng = () => createRng('bench decide', seed, 'offers', round);
      if (learns === 'always')
        champion = { model: await learnOffers(closed, log, now, rng()), seenUntil: now };
      if (learns === 'gated')
        ({ champion } = await learnThroughGate(closed, log, now, rng, {
          champion,
          market: { ...market, offers: compiled },
          models: { ...NO_MODELS, customerValue },
        }));
      models = {
        ...NO_MODELS,
        customerValue,
        offers: champion && { version: `${round}`, manifest: {} as never, model: champion.model },
      };
    },
    propose(asked) {
      const served = models;
      if (served === undefined) throw new Error('nothing has been learnt yet');
      const drawing = drawingOf(market.policy, rng);
      return asked.map((one) =>
        decideOn(one, closed, { ...market, offers: offersOf(one, compiled) }, served, drawing),
      );
    },
  };
}

/** What a day's exploring may cost, for each customer: what is learnt has only some weeks to pay. */
const EXPLORING_MINOR_A_CUSTOMER = 0.5;
const ENGINES = { always: 'nextbest', gated: 'nextbest-gated', never: 'nextbest-assumed' } as const;

/** What is decided by before anything is learnt. */
export const NO_MODELS: Models = {
  collaborative: undefined,
  churn: undefined,
  customerValue: undefined,
  offers: undefined,
};

/** How often each offer was made and redeemed: what the assumptions are corrected by. */
function count(log: DecidedLog, { shop }: ClosedShop, counts: Map<string, OfferCounts>): void {
  counts.clear();
  for (const row of log.rows) {
    const offerId = shop.offers[row.action]?.offer.offerId;
    if (offerId === undefined) continue;
    const { made, redeemed: times } = counts.get(offerId) ?? never;
    counts.set(offerId, { made: made + 1, redeemed: times + (redeemed(log, row) ? 1 : 0) });
  }
}

const never: OfferCounts = { made: 0, redeemed: 0 };

function offersOf({ unruled }: Asked, compiled: readonly CompiledOffer[]): CompiledOffer[] {
  return unruled.flatMap(({ number }) => compiled[number] ?? []);
}

function decideOn(
  { customer, now, record, unruled, contacts }: Asked,
  { items, indices }: ClosedShop,
  market: OfferMarket,
  models: Models,
  drawing: Drawing,
): Proposal {
  const facts = customerFacts(`c${indices[customer]}`, record, models, items, noContext, now, contacts);
  const situation = {
    channel: 'email' as const,
    placements: ['email-top'],
    now,
    basketMinor: undefined,
    isBuyable: (itemId: string) => isBuyable(items.get(itemId)),
  };
  const [place] = chooseOffers(market, facts, situation, { limit: 1, drawing }).placements;
  const made = place?.fallback === true ? undefined : place?.offers[0];
  return {
    offer: made && unruled.find(({ offer }) => offer.offerId === made.offerId),
    propensity: place?.loggingPropensity ?? Number.NaN,
    score: made?.expectedValue ?? 0,
  };
}

/** Of one day: all customers are decided on in the same hour. */
function drawingOf({ exploration }: DecisionPolicy, rng: { next(): number }): Drawing {
  let left = exploration.maxCostMinorPerDay ?? Number.POSITIVE_INFINITY;
  return {
    random: () => rng.next(),
    afford(costMinor, take) {
      if (costMinor > left) return false;
      if (take) left -= costMinor;
      return true;
    },
  };
}

export function marketOf(
  { items, statistics, indices }: ClosedShop,
  counts: ReadonlyMap<string, OfferCounts>,
): Omit<OfferMarket, 'offers'> {
  const policy = DecisionPolicy.parse({
    contact: { costMinor: { email: contactCostMinor } },
    exploration: { maxCostMinorPerDay: EXPLORING_MINOR_A_CUSTOMER * indices.length },
  });
  const subjects = new Map<Offer, OfferSubject>();
  return {
    items,
    shop: statistics,
    subjectOf(offer) {
      const subject = subjects.get(offer) ?? offerSubject(offer, items, statistics);
      subjects.set(offer, subject);
      return subject;
    },
    countsOf: (offerId) => counts.get(offerId) ?? never,
    budgetReason: () => undefined,
    affordExploring: () => true,
    economics: ECONOMICS,
    policy,
    policyVersion: contentVersion(policy),
    contactPolicy: compileContactPolicy(policy.contact),
    experiments: compileExperiments(policy),
    currency: 'EUR',
  };
}

/** As the worker's job fits it, over the records instead of the lake. */
async function fitCustomerValue(closed: ClosedShop, seed: number): Promise<Models['customerValue']> {
  const { items, indices, startAt } = closed;
  const known: [string, { share: number; priceMinor: number }][] = [];
  for (const [itemId, item] of items) {
    const share = marginRateOf(item);
    if (share !== undefined && item.priceMinor !== undefined)
      known.push([itemId, { share, priceMinor: item.priceMinor }]);
  }
  const margins: ItemMargins = { known: new Map(known), assumedShare: DEFAULT_MARGIN_RATE };
  const pasts = indices.flatMap(
    (_, customer) => customerPastOf(customerAtStart(closed, customer).record, margins, startAt) ?? [],
  );
  const none = new Float64Array(pasts.length);
  const summary = {
    errands: Float64Array.from(pasts, ({ errands }) => errands),
    recencyDays: Float64Array.from(pasts, ({ recencyDays }) => Math.floor(recencyDays)),
    ageDays: Float64Array.from(pasts, ({ ageDays }) => Math.floor(ageDays)),
    averageMarginMinor: Float64Array.from(pasts, ({ averageMarginMinor }) => averageMarginMinor),
    laterErrands: none,
    laterMarginMinor: none,
  };
  const { model } = await choosePurchaseModel(summary, seed, () => {});
  const spend = fitSpend(summary);
  if (spend === undefined) throw new Error('no order has left a margin');
  const value: CustomerValueModel = customerValueModel({
    purchases: { model, parameters: purchaseModelOf(model).fit(purchasesOf(summary)).parameters },
    spend: spend.parameters,
    regularity: 1,
    horizonDays: 365,
    annualDiscountRate: 0,
    margins,
    thresholds: { recencyDays: [], errands: [], marginMinor: [], valueMinor: [], risk: [] },
  });
  return { version: 'bench', manifest: {} as never, model: value };
}
