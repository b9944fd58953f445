/** What decisions are made from: the offers, and all that is the same for every customer. */
import type { BudgetLevel } from '../domain/decision.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import type { OfferCounts } from './accept-propensity.ts';
import type { CompiledContactPolicy } from './contact-policy.ts';
import type { Economics } from './cost.ts';
import type { CompiledOffer } from './eligibility.ts';
import type { Experiments } from './experiments.ts';
import type { ExplorationSettings } from './exploration.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';

export type OfferMarket = {
  /** Never changed: other offers are another list. */
  offers: readonly CompiledOffer[];
  /** The catalogue, by item id. */
  items: ReadonlyMap<string, Item>;
  shop: ShopStatistics;
  /** `offerSubject` of an offer; may be some seconds old. */
  subjectOf: (offer: Offer) => OfferSubject;
  countsOf: (offerId: string) => OfferCounts;
  /** Why an offer's budget cannot bear that it is made now, as far as is known; undefined: it can. */
  budgetReason: (offer: Offer) => 'budget-exhausted' | 'budget-paced' | undefined;
  /** What was known of the budget of an offer when that kept it out; absent where budgets are not read. */
  budgetLevel?: (offerId: string) => BudgetLevel | undefined;
  /** See `Drawing`. */
  affordExploring: Drawing['afford'];
  exploringIsSpent?: NonNullable<Drawing['isSpent']>;
  economics: Economics;
  policy: DecisionPolicy;
  policyVersion: string;
  /** Of the policy: whom the shop may contact, and how often. */
  contactPolicy: CompiledContactPolicy;
  /** Of the policy: `settingsFor` a subject says how to decide for it. */
  experiments: Experiments;
  /** ISO 4217; every sum is in its minor units. */
  currency: string;
};

/** What drawing an offer takes, where a value is uncertain. */
export type Drawing = {
  /** Uniform in [0, 1). */
  random: () => number;
  /**
   * Is that much, in minor units, left of what such exploring may cost today? With `take` it is taken. Must not depend on
   * what `random` answers.
   */
  afford: (costMinor: number, take: boolean, exploration: ExplorationSettings) => boolean;
  /** Is that much certain not to be had any more today, and so neither what costs more? By default it is not. */
  isSpent?: (costMinor: number, exploration: ExplorationSettings) => boolean;
};

/** Whether what exploring costs can be had. */
export type Exploring = Required<Pick<Drawing, 'afford' | 'isSpent'>>;

export function exploringOf({
  affordExploring,
  exploringIsSpent = () => false,
}: Pick<OfferMarket, 'affordExploring' | 'exploringIsSpent'>): Exploring {
  return { afford: affordExploring, isSpent: exploringIsSpent };
}
