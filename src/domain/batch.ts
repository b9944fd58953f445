/** A campaign's list: the offer of each of many customers, decided in one job. */
import { z } from 'zod';
import { Channel } from './channel.ts';
import { ExclusionReason, ExpectedValue } from './decision.ts';
import { CustomerId } from './ids.ts';
import { Benefit, OfferVersion } from './offer.ts';
import { Rule } from './rule.ts';
import { RFM_SEGMENTS } from './segments.ts';

/** Ids in one request: by HTTP the size of a body bounds them before that, by the CLI memory does not. */
const batchIdsMax = 5_000_000;

export const BATCH_FORMATS = ['ndjson', 'csv'] as const;
export const BatchFormat = z.enum(BATCH_FORMATS);
export type BatchFormat = z.output<typeof BatchFormat>;

const label = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,100}$/u, 'must have 1 to 100 characters, no control characters among them');

const segmentName = z.string().min(1).max(100);

const WHO = ['customerIds', 'segment', 'eligibility', 'everybody'] as const;

const about = {
  /** Those of the shop's own segment (`attributes.segment`). */
  segment: segmentName.optional(),
  /** Those for whom the rule holds: the rule language of offers. */
  eligibility: Rule.optional(),
  channel: Channel,
  placement: label.default('default'),
  /** Names the send: the same request with the same campaign is the same job. */
  campaign: label,
  /** Offers for each customer at most. */
  limit: z.int().min(1).max(10).default(1),
  format: BatchFormat.default('ndjson'),
  /** Customers for whom nothing is worth making, too, and those who may not be contacted. */
  includeNothing: z.boolean().default(false),
};

export const BatchRequest = z
  .strictObject({
    /** These customers. */
    customerIds: z.array(CustomerId).min(1).max(batchIdsMax).optional(),
    everybody: z.literal(true).optional(),
    ...about,
    /** Those of the shop's own segment (`attributes.segment`); by RFM segment it is `eligibility` that asks. */
    segment: segmentName
      .refine((name) => !isRfmSegment(name), { error: ({ input }) => notTheShops(String(input)) })
      .optional(),
  })
  .check(
    z.refine((request) => WHO.filter((field) => request[field] !== undefined).length === 1, {
      error: `needs exactly one of ${WHO.join(', ')}`,
    }),
  );

function isRfmSegment(name: string): boolean {
  return (RFM_SEGMENTS as readonly string[]).includes(name);
}

/** Of the names of the scoring: nobody would be meant, as a rule, where the shop has none of its own that is called so. */
function notTheShops(name: string): string {
  const asked = (kind: string) => `{"${kind}","in":["${name}"]}`;
  return (
    `is the shop's own, and "${name}" is an RFM segment: ask for that by eligibility ${asked('score":"rfmSegment')}, ` +
    `or for a segment of the shop's of this name by ${asked('attribute":"segment')}; RFM segments are ${RFM_SEGMENTS.join(', ')}`
  );
}
export type BatchRequest = z.output<typeof BatchRequest>;

/** What a batch is about, without the ids, which may be a million. */
export const BatchAbout = z.object({ ...about, listed: z.boolean() });
export type BatchAbout = z.output<typeof BatchAbout>;

/** Columns of the list as CSV: a line an offer. */
export const BATCH_COLUMNS = [
  'customerId',
  'decisionId',
  'offerId',
  'offerVersion',
  'name',
  'expectedValueMinor',
  'currency',
  'redeemableUntil',
  'fallback',
  'content',
  'contactable',
  'reasonCode',
] as const;

/** A line of the list as NDJSON. */
export const BatchLine = z.object({
  customerId: z.string(),
  decisionId: z.string(),
  currency: z.string(),
  /** true: nothing was worth making, and the fallback offer stands in. */
  fallback: z.boolean(),
  /** false: not to be sent anything on the channel, not even the fallback, and why not. Only with `includeNothing`. */
  contactable: z.boolean(),
  reasonCode: ExclusionReason.optional(),
  /** Best first; none only with `includeNothing`. */
  offers: z.array(
    z.object({
      offerId: z.string(),
      offerVersion: OfferVersion,
      name: z.string(),
      benefit: Benefit,
      expectedValue: ExpectedValue,
      redeemableUntil: z.iso.datetime().optional(),
      content: z.record(z.string(), z.string()),
    }),
  ),
});
export type BatchLine = z.output<typeof BatchLine>;

/** What the list begins with. */
export function batchHead(format: BatchFormat): string {
  return format === 'csv' ? `${BATCH_COLUMNS.join(',')}\r\n` : '';
}

export const BatchCounts = z.object({
  /** Customers of the list, and how many of them have been looked at. */
  customers: z.int().min(0),
  decided: z.int().min(0),
  /** Customers who have an offer, and those for whom the fallback stands in. */
  offers: z.int().min(0),
  fallbacks: z.int().min(0),
  /** Of all: who may not be contacted on the channel now. No line is theirs unless asked for. */
  notContactable: z.int().min(0).default(0),
  /** Of all: who has no record. Many are a sign that the ids are another system's. */
  unknown: z.int().min(0).default(0),
  /** Customers by offer. */
  byOffer: z.record(z.string(), z.int().min(0)),
  /** How often each reason kept an offer from a customer. */
  byReason: z.record(z.string(), z.int().min(0)),
});
export type BatchCounts = z.output<typeof BatchCounts>;

export const noBatchCounts: BatchCounts = {
  customers: 0,
  decided: 0,
  offers: 0,
  fallbacks: 0,
  notContactable: 0,
  unknown: 0,
  byOffer: {},
  byReason: {},
};

export function addCounts(a: BatchCounts, b: BatchCounts): BatchCounts {
  return {
    customers: a.customers + b.customers,
    decided: a.decided + b.decided,
    offers: a.offers + b.offers,
    fallbacks: a.fallbacks + b.fallbacks,
    notContactable: a.notContactable + b.notContactable,
    unknown: a.unknown + b.unknown,
    byOffer: added(a.byOffer, b.byOffer),
    byReason: added(a.byReason, b.byReason),
  };
}

function added(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

const BATCH_STATES = ['waiting', 'active', 'completed', 'failed', 'cancelled'] as const;

export const BatchStatus = z.object({
  jobId: z.string(),
  state: z.enum(BATCH_STATES),
  campaign: z.string(),
  channel: Channel,
  placement: z.string(),
  format: BatchFormat,
  /** 0 to 1, and what it is at. */
  share: z.number().min(0).max(1),
  stage: z.string(),
  counts: BatchCounts,
  /** What is done as it was asked, and yet may be a slip: why the list is about nobody, or has no offer for anybody. Absent where there is none. */
  warnings: z.array(z.string()).optional(),
  /** In valuing and deciding; null before the first part is done. */
  customersPerSecond: z.number().min(0).nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  error: z.string().optional(),
});
export type BatchStatus = z.output<typeof BatchStatus>;

/** The job's payload: the rest is in its folder. */
export const BatchPayload = z.strictObject({ batchId: z.string().regex(/^batch-[0-9a-f]{16}$/) });
export type BatchPayload = z.output<typeof BatchPayload>;
