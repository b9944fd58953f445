/** What a decision chooses from, kept ready between requests: compiled offers, shop statistics, counters. */
import { popularityScores } from '../algorithms/collaborative-model.ts';
import type { Offer } from '../domain/offer.ts';
import { compileContactPolicy } from '../offers/contact-policy.ts';
import { economicsOf } from '../offers/cost.ts';
import type { CompiledOffer } from '../offers/eligibility.ts';
import { cappedByVariants, compileExperiments } from '../offers/experiments.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import { type OfferSubject, offerSubject } from '../offers/offer-subject.ts';
import { type ShopStatistics, shopStatistics } from '../offers/shop-statistics.ts';
import { type BudgetWatch, createBudgetWatch } from './budget-watch.ts';
import { compiledOffer } from './compiled-offers.ts';
import type { DecidingDeps } from './deps.ts';
import { createExplorationPurses, type ExplorationPurses } from './exploration-budget.ts';
import { createBudgetLedger, type Reserved } from './ledger/offer-budget.ts';
import { createOfferCounter } from './offer-counts.ts';
import type { CurrentPolicy } from './policy.ts';

/** `conflict`: the customer was offered something else meanwhile, and what was reserved has been given back. */
export type ReservationOutcome = Reserved | 'conflict';

export type MarketHolder = {
  /** Of the ledger's refusals: until budgets are read again, the offer counts as used up. */
  refused: BudgetWatch['refused'];
  /** Told of each offer that is to be reserved; see `MarketDeps`. */
  onReservation?: ((outcome: ReservationOutcome) => void) | undefined;
  /** How many of the offers with a budget bear another one. */
  budgetCounts: BudgetWatch['counts'];
  /** Of the budget that goes the fastest. */
  greatestBurnRate: BudgetWatch['greatestBurnRate'];
  /** With counters of the last seconds. Rejects when Redis is away. */
  read: () => Promise<OfferMarket>;
  /** With the counters that were read last; reaches nothing. */
  known: () => OfferMarket;
  /** What is left of what such exploring may cost today, as far as is known; minor units. */
  exploringLeft: ExplorationPurses['leftMinor'];
  /** Before a process ends: what it has not spent on exploring is for the others. */
  endExploring: () => Promise<void>;
};

export type MarketDeps = Pick<DecidingDeps, 'redis' | 'keys' | 'catalogue' | 'models' | 'now'> & {
  policy: CurrentPolicy;
  currency: string;
  onReservation?: (outcome: ReservationOutcome) => void;
  /** Told what exploring has cost in expectation, minor units. */
  onExplored?: (costMinor: number) => void;
};

type Statistics = {
  /** Catalogue and model that it was made from. */
  basis: string;
  at: number;
  shop: ShopStatistics;
  subjects: WeakMap<Offer, OfferSubject>;
};

/** While a catalogue is being loaded it changes with every request; its statistics hardly do. */
const statisticsMaxAgeMs = 10_000;

export function createMarketHolder({
  redis,
  keys,
  catalogue,
  models,
  policy: { policy, version: policyVersion },
  currency,
  onReservation,
  onExplored,
  now,
}: MarketDeps): MarketHolder {
  const economics = economicsOf(policy, currency);
  const contactPolicy = compileContactPolicy(policy.contact, cappedByVariants(policy));
  const experiments = compileExperiments(policy);
  const counter = createOfferCounter(redis, keys, now);
  const exploring = createExplorationPurses(policy, {
    redis,
    keys,
    now,
    ...(onExplored && { onSpent: onExplored }),
  });
  const budgets = createBudgetWatch(createBudgetLedger(redis, keys), economics, now);
  let offers: { revision: number; list: readonly CompiledOffer[] } | undefined;
  let statistics: Statistics | undefined;

  function currentOffers(): readonly CompiledOffer[] {
    if (offers?.revision !== catalogue.revision) {
      // In the order in which a decision names them.
      const all = [...catalogue.offers.values()].sort((a, b) => (a.offerId < b.offerId ? -1 : 1));
      offers = { revision: catalogue.revision, list: all.map(compiledOffer) };
    }
    return offers.list;
  }

  function currentStatistics(): Statistics {
    const served = models.collaborative;
    const basis = `${catalogue.revision} ${served?.version ?? ''}`;
    const fresh =
      statistics !== undefined && (statistics.basis === basis || now() - statistics.at < statisticsMaxAgeMs);
    if (statistics === undefined || !fresh) {
      const popularity = served && popularityScores(served.model);
      const popularityOf = (itemId: string) => popularity?.[served?.model.itemIndex.get(itemId) ?? -1] ?? 0;
      statistics = {
        basis,
        at: now(),
        subjects: new WeakMap(),
        shop: shopStatistics(catalogue.items.values(), served && popularityOf),
      };
    }
    return statistics;
  }

  function marketWith(countsOf: OfferMarket['countsOf']): OfferMarket {
    const { shop, subjects } = currentStatistics();
    return {
      offers: currentOffers(),
      items: catalogue.items,
      shop,
      subjectOf: (offer) => {
        let subject = subjects.get(offer);
        if (subject === undefined) {
          subject = offerSubject(offer, catalogue.items, shop);
          subjects.set(offer, subject);
        }
        return subject;
      },
      countsOf,
      budgetReason: budgets.reasonFor,
      budgetLevel: budgets.levelOf,
      affordExploring: exploring.afford,
      exploringIsSpent: exploring.isSpent,
      economics,
      policy,
      policyVersion,
      contactPolicy,
      experiments,
      currency,
    };
  }

  return {
    read: async () => {
      const [countsOf] = await Promise.all([
        counter.read(),
        exploring.prepare(),
        budgets.refresh(catalogue.offers.values()),
      ]);
      return marketWith(countsOf);
    },
    onReservation,
    refused: budgets.refused,
    budgetCounts: budgets.counts,
    greatestBurnRate: budgets.greatestBurnRate,
    known: () => marketWith(counter.known()),
    exploringLeft: exploring.leftMinor,
    endExploring: exploring.giveBack,
  };
}
