/** What a decision needs to know of a customer, out of the record and the models. */
import { churnRisk } from '../algorithms/churn-model.ts';
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import { valueIfAlive } from '../algorithms/customer-value/customer-value-model.ts';
import { standingColumns, standingOf } from '../algorithms/offer-model/keeping.ts';
import type { ItemId } from '../domain/ids.ts';
import type { Item } from '../domain/item.ts';
import { affinityAt } from '../features/categories.ts';
import { complaints } from '../features/complaints.ts';
import { knownFeatures } from '../features/known-features.ts';
import { lastRatedBelow } from '../features/rating-lows.ts';
import { type CustomerRecord, emptyRecord, featureVector } from '../features/record.ts';
import { FEATURE_NAMES, FEATURES } from '../features/registry.ts';
import type { ContactHistory } from '../offers/contact-history.ts';
import type { WithdrawalFacts } from '../offers/contact-policy.ts';
import type { CustomerFacts, Segments, WorkedOut } from '../offers/customer-facts.ts';
import { tasteRanker } from '../offers/taste-rank.ts';
import { customerPastOf } from '../scoring/customer-past.ts';
import { interestWeights, shoppingPastOf } from '../scoring/interests.ts';
import { segmentsByLimits } from '../scoring/segments-by-limits.ts';
import type { Models } from '../scoring/served.ts';
import { offerEffects } from './offer-effects.ts';

/** What the caller knows of this very moment and no event has told yet. */
export type DecisionContext = {
  /** On the page or in the basket. */
  itemIds: readonly ItemId[];
  /** Value of the basket. */
  basketMinor: number | undefined;
};

/** As much interest as putting it into the cart tells. */
const contextCategoryWeight = 0.3;
const contextItemWeight = 0.5;

const complaintsSlice = FEATURES.findIndex(({ name }) => name === complaints.name);
const openComplaintsAt = featureIndex('openComplaints');
const purchaseCountAt = featureIndex('purchaseCount');
const standingAt = standingColumns(FEATURE_NAMES);
const averageOrderAt = featureIndex('averageOrderValueMinor');

/**
 * `record` undefined = nobody knows this customer. `items` is the catalogue, by id. `now` in milliseconds since 1970. `contacts`
 * is what the ledger has of the customer.
 */
export function customerFacts(
  subjectId: string,
  record: CustomerRecord | undefined,
  models: Models,
  items: ReadonlyMap<string, Item>,
  context: DecisionContext,
  now: number,
  contacts: ContactHistory = [],
): CustomerFacts {
  return new RecordFacts(subjectId, record, models, items, context, now, contacts);
}

/**
 * What not every decision asks for is worked out when it is. A class, whose accessors are those of all its instances: an object with
 * accessors of its own gets a layout of its own, which the garbage collector keeps, and the record by it, until it next looks at
 * everything.
 */
class RecordFacts implements CustomerFacts {
  readonly subjectId: string;
  readonly loyaltyTier: CustomerFacts['loyaltyTier'];
  readonly segment: string | undefined;
  readonly timeZone: string | undefined;
  readonly consent: CustomerFacts['consent'];
  readonly complaintOpen: boolean;
  readonly offerAnswers: CustomerFacts['offerAnswers'];
  readonly contacts: ContactHistory;
  readonly features: Float32Array;
  readonly averageOrderMinor: number | undefined;
  private readonly record: CustomerRecord | undefined;
  private readonly models: Models;
  private readonly items: ReadonlyMap<string, Item>;
  private readonly context: DecisionContext;
  private readonly now: number;
  private readonly hasOrdered: boolean;
  private risk: number | undefined | 'unasked' = 'unasked';
  private remaining: ReturnType<typeof remainingLifetimeValue> | 'unasked' = 'unasked';
  private standingKnown: CustomerFacts['standing'] | undefined;
  private known: Float32Array | undefined;
  private madeOf: Segments | undefined;
  private interest: ReturnType<typeof categoryInterest> | undefined;
  private taste: CustomerFacts['tasteRank'] | undefined;
  private effects: CustomerFacts['effectOf'] | undefined;

  constructor(
    subjectId: string,
    record: CustomerRecord | undefined,
    models: Models,
    items: ReadonlyMap<string, Item>,
    context: DecisionContext,
    now: number,
    contacts: ContactHistory,
  ) {
    const features = featureVector(record ?? emptyRecord(), now);
    const attributes = record?.attributes ?? {};
    const { consent, complaintOpen, offerAnswers } = spoken(record, (features[openComplaintsAt] ?? 0) > 0);
    this.subjectId = subjectId;
    this.loyaltyTier = attributes.loyaltyTier ?? 'none';
    this.segment = attributes.segment;
    this.timeZone = attributes.timeZone;
    this.consent = consent;
    this.complaintOpen = complaintOpen;
    this.offerAnswers = offerAnswers;
    this.contacts = contacts;
    this.features = features;
    this.hasOrdered = (features[purchaseCountAt] ?? 0) > 0;
    this.averageOrderMinor = this.hasOrdered ? features[averageOrderAt] : undefined;
    this.record = record;
    this.models = models;
    this.items = items;
    this.context = context;
    this.now = now;
  }

  lastRatedBelow(bound: number): number | undefined {
    return lastRatedBelow(this.record?.ratingLows ?? [], bound);
  }

  get knownFeatures(): Float32Array {
    this.known ??= knownFeatures(this.record ?? emptyRecord(), this.features);
    return this.known;
  }

  /** The model learnt from customers who have ordered; of others it knows nothing. */
  get churnRisk(): number | undefined {
    if (this.risk === 'unasked') {
      const { churn } = this.models;
      this.risk = churn !== undefined && this.hasOrdered ? churnRisk(churn.model, this.features) : undefined;
    }
    return this.risk;
  }

  get standing(): CustomerFacts['standing'] {
    this.standingKnown ??= standingOf(standingAt, this.features, 0);
    return this.standingKnown;
  }

  get remainingLifetimeValueMinor(): number | undefined {
    if (this.remaining === 'unasked')
      this.remaining = remainingLifetimeValue(this.record, this.models, this.now);
    return this.remaining?.remainingLifetimeValueMinor;
  }

  get segments(): Segments {
    this.madeOf ??= segmentsOf(this.record, this.models, this.churnRisk, this.now);
    return this.madeOf;
  }

  get categoryShares(): CustomerFacts['categoryShares'] {
    return this.interestOf().categoryShares;
  }

  get categoryEvidence(): number {
    return this.interestOf().categoryEvidence;
  }

  tasteRank(itemId: ItemId): number | undefined {
    this.taste ??= tasteOf(this.record, this.models, this.context, this.now);
    return this.taste(itemId);
  }

  effectOf(...of: Parameters<CustomerFacts['effectOf']>): ReturnType<CustomerFacts['effectOf']> {
    this.effects ??= offerEffects(this.models.offers?.model, this.items, this);
    return this.effects(...of);
  }

  workedOut(): WorkedOut {
    return {
      ...(this.risk !== 'unasked' && { churnRisk: this.risk ?? null }),
      ...(this.madeOf && { segments: this.madeOf }),
      ...(this.remaining !== 'unasked' && this.remaining && { value: this.remaining }),
      ...this.interest,
    };
  }

  private interestOf(): ReturnType<typeof categoryInterest> {
    this.interest ??= categoryInterest(this.record, this.items, this.context, this.now);
    return this.interest;
  }
}

/** What may end a decision that stands, without the rest: asked at each request for one. */
export function withdrawalFacts(record: CustomerRecord | undefined, now: number): WithdrawalFacts {
  const slots = record?.slices[complaintsSlice];
  if (slots === undefined) return spoken(record, false);
  const out = new Float32Array(complaints.outputs.length);
  complaints.value(slots, now, out, 0);
  return spoken(record, (out[0] ?? 0) > 0);
}

function spoken(record: CustomerRecord | undefined, complaintOpen: boolean): WithdrawalFacts {
  return {
    consent: record?.attributes.consent ?? {},
    complaintOpen,
    lastRatedBelow: (bound) => lastRatedBelow(record?.ratingLows ?? [], bound),
    offerAnswers: record?.offerAnswers ?? [],
  };
}

function remainingLifetimeValue(
  record: CustomerRecord | undefined,
  { customerValue }: Models,
  now: number,
): WorkedOut['value'] | undefined {
  if (record === undefined || customerValue === undefined) return undefined;
  const past = customerPastOf(record, customerValue.model.margins, now);
  return past && { ...past, remainingLifetimeValueMinor: valueIfAlive(customerValue.model, past) };
}

/** By the limits of the customer value model; of those who have never ordered, nothing. */
function segmentsOf(
  record: CustomerRecord | undefined,
  { customerValue: served }: Models,
  risk: number | undefined,
  now: number,
): Segments {
  if (record === undefined || served === undefined) return {};
  const past = customerPastOf(record, served.model.margins, now);
  return past === undefined ? {} : segmentsByLimits(served.model, past, risk);
}

function categoryInterest(
  record: CustomerRecord | undefined,
  items: ReadonlyMap<string, Item>,
  context: DecisionContext,
  now: number,
): Pick<CustomerFacts, 'categoryShares' | 'categoryEvidence'> {
  const weights = new Map<string, number>();
  for (const affinity of record?.categories ?? []) weights.set(affinity.category, affinityAt(affinity, now));
  for (const itemId of context.itemIds) {
    const category = items.get(itemId)?.category ?? '';
    if (category !== '') weights.set(category, (weights.get(category) ?? 0) + contextCategoryWeight);
  }
  let total = 0;
  for (const weight of weights.values()) total += weight;
  if (total > 0) for (const [category, weight] of weights) weights.set(category, weight / total);
  return { categoryShares: weights, categoryEvidence: total };
}

function tasteOf(
  record: CustomerRecord | undefined,
  models: Models,
  context: DecisionContext,
  now: number,
): CustomerFacts['tasteRank'] {
  const model = models.collaborative?.model;
  if (model === undefined) return () => undefined;
  let ranker: ReturnType<typeof tasteRanker> | undefined;
  // Most decisions have no offer about items to ask it for.
  return (itemId) => {
    ranker ??= rankerOf(model, record, context, now);
    return ranker(itemId);
  };
}

function rankerOf(
  model: CollaborativeModel,
  record: CustomerRecord | undefined,
  context: DecisionContext,
  now: number,
): ReturnType<typeof tasteRanker> {
  const known = interestWeights(model, shoppingPastOf(model, record), now);
  const seen = context.itemIds.flatMap((itemId) => model.itemIndex.get(itemId) ?? []);
  return tasteRanker(
    model,
    Int32Array.from([...known.items, ...seen]),
    Float32Array.from([...known.weights, ...seen.map(() => contextItemWeight)]),
  );
}

function featureIndex(name: string): number {
  const index = FEATURE_NAMES.indexOf(name);
  if (index < 0) throw new Error(`offers read the feature ${name}, which the registry does not have`);
  return index;
}
