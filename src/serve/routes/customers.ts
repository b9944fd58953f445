/** What is known of a customer: attributes of the CRM's, and what the events have told. */

import { z } from 'zod';
import { RISK_BANDS, VALUE_TIERS } from '../../algorithms/customer-value/bands.ts';
import { RFM_SEGMENTS } from '../../algorithms/customer-value/rfm-segment.ts';
import { Customer, CustomerAttributes } from '../../domain/customer.ts';
import { AppError } from '../../domain/errors.ts';
import { CustomerId, EventId, SessionId } from '../../domain/ids.ts';
import { dayMs } from '../../domain/time.ts';
import { affinityAt, categoriesMax } from '../../features/categories.ts';
import { namedFeatures } from '../../features/named-features.ts';
import { type CustomerRecord, featureVector } from '../../features/record.ts';
import { type ChurnReason, churnReasons } from '../../scoring/churn-reasons.ts';
import { type CustomerScores, scoreCustomer } from '../../scoring/score-customer.ts';
import { changeAttributes, notInForce } from '../customers/change-attributes.ts';
import { putCustomers } from '../customers/put-customers.ts';
import type { Deps } from '../deps.ts';
import { mergeSession } from '../events/merge-session.ts';
import { submitEvents } from '../events/submit-events.ts';
import { defineRoute, JSON_TYPE, NDJSON_TYPE } from '../route.ts';

/** In one request; more come in several. */
const customersMax = 1000;

const params = z.strictObject({ customerId: CustomerId });

const CustomerAnswer = z
  .object({ customerId: z.string(), attributes: CustomerAttributes })
  .meta({ id: 'Customer' });

const PutManyAnswer = z
  .object({
    accepted: z.int(),
    rejected: z.int(),
    /** One for each customer, in the order in which they came first. */
    results: z.array(
      z.object({
        customerId: z.string(),
        status: z.enum(['accepted', 'rejected']),
        /** Why it was rejected. */
        reason: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'CustomersPut' });

const MergeAnswer = z
  .object({
    customerId: z.string(),
    sessionId: z.string(),
    /** Events that the customer has gained by this call. */
    events: z.int().min(0),
    /** Events of the session whose `eventId` the customer has another event of: each such pair counts as one event, told twice. */
    repeated: z.int().min(0),
  })
  .meta({ id: 'Merged' });

const ProfileAnswer = z
  .object({
    customerId: z.string(),
    attributes: CustomerAttributes,
    /** The shop's market segment; null = none was given. */
    segment: z.string().nullable(),
    /** Every feature, by name; null = nothing was observed to tell it from (no rating, no second order …). */
    features: z.record(z.string(), z.number().nullable()),
    /** What interests the customer, strongest first; a record keeps 16. */
    categoryAffinities: z
      .array(
        z.object({
          category: z.string(),
          /** 1 for a purchased line of today, 0.3 for one put into the cart, 0.1 for a view; halves every 90 days. */
          weight: z.number().min(0),
          /** Of all weights; the shares of a profile sum to 1. */
          share: z.number().min(0).max(1),
        }),
      )
      .max(categoriesMax),
    /** null: no churn model has been published yet, or the customer has never ordered (the model knows nothing of such). */
    churn: z
      .object({
        /** Calibrated probability of no purchase within the horizon. */
        risk: z.number().min(0).max(1),
        horizonDays: z.number(),
        /** The same for each horizon that the model tells, shortest first. */
        risks: z.array(z.object({ days: z.number(), risk: z.number().min(0).max(1) })),
        /** The five at most that move the risk most. */
        reasons: z.array(
          z.object({
            feature: z.string(),
            /** null = never observed: the text says that it was not. */
            value: z.number().nullable(),
            effect: z.enum(['raises', 'lowers']),
            /** Part of the risk's logit: all parts, with that of a customer who is the mean in everything, add up to it. */
            contribution: z.number(),
            /** As a clerk would say it. */
            text: z.string(),
          }),
        ),
        modelVersion: z.string(),
      })
      .nullable(),
    /** What the customer is likely to bring in; null: no customer value model has been published yet, or no order. */
    value: z
      .object({
        /** Expected margin of the purchases within the horizon, discounted. */
        valueMinor: z.int(),
        /** Of 100 customers like this one, 10 bring in less than the one and 10 more than the other. */
        lowMinor: z.int(),
        highMinor: z.int(),
        expectedPurchases: z.number(),
        horizonDays: z.number(),
        modelVersion: z.string(),
      })
      .nullable(),
    /** By recency, frequency and money among the shop's customers; null like `value`. */
    rfmSegment: z.enum(RFM_SEGMENTS).nullable(),
    /** Where the value lies among those of all customers: the lower half, the next 30 %, the next 15 %, the best 5 %. */
    valueTier: z.enum(VALUE_TIERS).nullable(),
    /** Likewise of the risk, among those who are not long gone. */
    riskBand: z.enum(RISK_BANDS).nullable(),
    /**
     * With a customer value model, when the next purchase will come if the customer stays; without one, the last order
     * and the usual gap, and null before the second order.
     */
    nextPurchase: z
      .object({
        /** Half of the customers like this one come before it. Without a model in the past for somebody who is overdue. */
        expectedAt: z.iso.datetime(),
        /** 80 in 100 come between these two; null without a model. */
        earliestAt: z.iso.datetime().nullable(),
        latestAt: z.iso.datetime().nullable(),
        /** Mean gap between orders so far; null before the second order. */
        usualGapDays: z.number().nullable(),
        /** Days since the last order over the usual gap: 1 = due, 2 = a whole gap late; null before the second order. */
        overdueRatio: z.number().nullable(),
      })
      .nullable(),
    /** First and last event. */
    firstEventAt: z.iso.datetime(),
    lastEventAt: z.iso.datetime(),
    eventCount: z.int(),
  })
  .meta({ id: 'CustomerProfile' });

const reasonsShown = 5;

async function readRecord(customerId: CustomerId, deps: Pick<Deps, 'records'>): Promise<CustomerRecord> {
  const record = await deps.records.read(customerId);
  if (record === undefined) throw new AppError('NOT_FOUND', { public: 'Nothing is known of this customer.' });
  return record;
}

export function profileOf(
  customerId: CustomerId,
  record: CustomerRecord,
  { churn, customerValue }: Pick<Deps['models'], 'churn' | 'customerValue'>,
  now: number,
): z.input<typeof ProfileAnswer> {
  const vector = featureVector(record, now);
  const features = namedFeatures(record, now);
  const models = { churn: churn?.model, value: customerValue?.model };
  const scores = scoreCustomer(models, record, now, vector);
  return {
    customerId,
    attributes: record.attributes,
    segment: record.attributes.segment ?? null,
    features,
    categoryAffinities: affinitiesOf(record, now),
    churn:
      churn === undefined || scores.churn === null
        ? null
        : {
            ...scores.churn,
            reasons: churnReasons(churn.model, vector, reasonsShown).map((reason) => shown(reason, features)),
            modelVersion: churn.version,
          },
    value:
      customerValue === undefined || scores.value === null
        ? null
        : { ...scores.value, modelVersion: customerValue.version },
    rfmSegment: scores.rfmSegment,
    valueTier: scores.valueTier,
    riskBand: scores.riskBand,
    nextPurchase: nextPurchaseOf(scores, features, now),
    firstEventAt: new Date(record.firstAt).toISOString(),
    lastEventAt: new Date(record.lastAt).toISOString(),
    eventCount: record.eventCount,
  };
}

/** As of `now`; categories in which a return has taken back all interest are left out. */
function affinitiesOf({ categories }: Pick<CustomerRecord, 'categories'>, now: number) {
  const weighed = categories
    .map((affinity) => ({ category: affinity.category, weight: affinityAt(affinity, now) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  return weighed.map(({ category, weight }) => ({ category, weight, share: weight / total }));
}

/** The model reads a stand-in where nothing was observed; a person is told that there is nothing. */
function shown(
  { feature, contribution, text }: ChurnReason,
  features: Readonly<Record<string, number | null>>,
) {
  return {
    feature,
    value: features[feature] ?? null,
    contribution,
    effect: contribution > 0 ? ('raises' as const) : ('lowers' as const),
    text,
  };
}

/** The model's, or else last order + mean gap. */
function nextPurchaseOf(
  { nextPurchase }: Pick<CustomerScores, 'nextPurchase'>,
  features: Readonly<Record<string, number | null>>,
  now: number,
) {
  const { gapMeanDays: usualGapDays = null, daysSinceLastOrder = null, overdueRatio = null } = features;
  const at = (ms: number) => new Date(ms).toISOString();
  if (nextPurchase !== null) {
    const { expectedAt, earliestAt, latestAt } = nextPurchase;
    return {
      expectedAt: at(expectedAt),
      earliestAt: at(earliestAt),
      latestAt: at(latestAt),
      usualGapDays,
      overdueRatio,
    };
  }
  if (usualGapDays === null || daysSinceLastOrder === null || overdueRatio === null) return null;
  const expectedAt = at(now + (usualGapDays - daysSinceLastOrder) * dayMs);
  return { expectedAt, earliestAt: null, latestAt: null, usualGapDays, overdueRatio };
}

const tags = ['customers'] as const;

export const customerRoutes = [
  defineRoute({
    method: 'GET',
    path: '/customers/{customerId}',
    scope: 'read',
    summary: "The customer's attributes",
    tags,
    params,
    responses: { 200: CustomerAnswer },
    problems: [404, 503],
    handler: async ({ params: { customerId } }, deps) => {
      const { attributes } = await readRecord(customerId, deps);
      return { status: 200, body: { customerId, attributes } };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/customers/{customerId}',
    scope: 'manage',
    summary: 'Sets attributes; what is absent stays as it was',
    description:
      'Accepted as an event of type `customerUpdated`, so that it is in the history and survives a rebuild. 200 says that it counts from now ' +
      'on; 503 where it is in the history but not in force yet: send it again. With an `eventId` what is sent again within seven days is ' +
      'in the history once; 409 where that id is known and the change is not in force.',
    tags,
    params,
    query: z.strictObject({
      /** Names this change among the events of the customer. */
      eventId: EventId.optional(),
    }),
    body: CustomerAttributes,
    responses: { 200: CustomerAnswer },
    problems: [409, 413, 415, 429, 503],
    handler: async ({ params: { customerId }, query: { eventId }, body }, deps) => ({
      status: 200,
      body: { customerId, attributes: await changeAttributes(customerId, body, eventId, deps) },
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/customers',
    scope: 'manage',
    summary: `Sets attributes of up to ${customersMax} customers`,
    description:
      'A JSON array, or NDJSON with one customer a line: `customerId` and what `PUT /customers/{customerId}` takes; what is absent stays as ' +
      'it was. Where one is malformed, none is taken and every fault is named with its index. Of a customer who comes twice both ' +
      'count, the later one where they differ. 503 as there: send it again, it changes nothing that counts already.',
    tags,
    body: z
      .array(Customer.meta({ id: 'CustomerFields' }))
      .min(1)
      .max(customersMax),
    bodyTypes: [JSON_TYPE, NDJSON_TYPE],
    responses: { 200: PutManyAnswer },
    problems: [413, 415, 429, 503],
    handler: async ({ body }, deps) => {
      const { deferred, ...put } = await putCustomers(body, (inputs) => submitEvents(inputs, deps));
      if (deferred > 0) throw notInForce();
      return { status: 200, body: put };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/customers/{customerId}/merge/{sessionId}',
    scope: 'events',
    summary: 'A guest has logged in: the session is the customer',
    description:
      'What the session has told counts for the customer from the next answer on, each event once, and what it tells later (within seven ' +
      'days of its last event) does. Made again, it changes nothing. 409 where the session has become another customer.',
    tags,
    params: z.strictObject({ customerId: CustomerId, sessionId: SessionId }),
    responses: { 200: MergeAnswer },
    problems: [409, 429, 503],
    handler: async ({ params: { customerId, sessionId } }, deps) => {
      const { events, repeated } = await mergeSession(sessionId, customerId, deps);
      return { status: 200, body: { customerId, sessionId, events, repeated } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/customers/{customerId}/profile',
    scope: 'read',
    summary: 'Features, segments, category affinities, churn risk with reasons, value, next purchase',
    tags,
    params,
    responses: { 200: ProfileAnswer },
    problems: [404, 503],
    handler: async ({ params: { customerId } }, deps) => {
      const record = await readRecord(customerId, deps);
      return { status: 200, body: profileOf(customerId, record, deps.models, deps.now()) };
    },
  }),
];
