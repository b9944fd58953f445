/**
 * What a CRM is told by webhook. A *cause* is what happened to a customer; a *notice* is the cause with what is known of the
 * customer and what to do about it: it is the body of the request. Times in causes are milliseconds since 1970.
 */
import { z } from 'zod';
import { Channel } from './channel.ts';
import type { Consent } from './customer.ts';
import { CustomerId } from './ids.ts';

/** Bytes of a signing secret, by Standard Webhooks: fewer are weak, more than a block of SHA-256 add nothing. */
const secretBytes = { min: 24, max: 64 };

/** `whsec_` and the secret in base64. */
export const WebhookSecret = z.string().refine((text) => {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?)$/.exec(
    text,
  )?.[1];
  const bytes = Math.floor(((base64?.replace(/=+$/, '').length ?? 0) * 3) / 4);
  return bytes >= secretBytes.min && bytes <= secretBytes.max;
}, `must be whsec_ and ${secretBytes.min} to ${secretBytes.max} bytes in base64: \`nextbest webhooks secret\` makes one`);

/** Something that speaks for the risk, in words a clerk can say; `feature` is the record's, or what was told. */
export const NoticeReason = z.strictObject({ feature: z.string(), text: z.string() });
export type NoticeReason = z.output<typeof NoticeReason>;

export const NoticeCause = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('lowRating'),
    eventId: z.string(),
    at: z.int(),
    channel: Channel,
    rating: z.number(),
    itemId: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('complaint'),
    eventId: z.string(),
    at: z.int(),
    channel: Channel,
    topic: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('churnRisk'),
    /** Since when the customer had been below the bound: names the crossing. */
    belowSince: z.int(),
    at: z.int(),
    risk: z.number(),
    bound: z.number(),
    horizonDays: z.number(),
    reasons: z.array(NoticeReason),
  }),
]);
export type NoticeCause = z.output<typeof NoticeCause>;
export type CauseKind = NoticeCause['kind'];

/** The `type` of each cause's notice. */
export const NOTICE_TYPES = {
  lowRating: 'customer.lowRating',
  complaint: 'customer.complaint',
  churnRisk: 'customer.churnRisk',
} as const satisfies Record<CauseKind, string>;

/** The body of a webhook, in the shape of Standard Webhooks. */
export const Notice = z.strictObject({
  /** The same for the same cause, however often it is sent: receivers know a repeat by it. Also the header webhook-id. */
  id: z.string(),
  type: z.enum(NOTICE_TYPES),
  /** When the cause happened. */
  timestamp: z.iso.datetime(),
  data: z.strictObject({
    customerId: CustomerId,
    cause: z.record(z.string(), z.union([z.string(), z.number()])),
    /** Probability of no purchase within the horizon when the notice was made; null where no model knows the customer. */
    churn: z.strictObject({ risk: z.number(), horizonDays: z.number() }).nullable(),
    /** Margin that the customer is expected to bring within the horizon, in minor units; null likewise. */
    value: z.strictObject({ valueMinor: z.int(), horizonDays: z.number() }).nullable(),
    /** Strongest first. */
    reasons: z.array(NoticeReason),
    suggestedAction: z.strictObject({
      action: z.string(),
      text: z.string(),
      /** true: only through a channel that has the customer's consent. */
      marketing: z.boolean(),
    }),
    /** Channels through which the customer has consented to marketing. */
    consent: z.array(Channel),
  }),
});
export type Notice = z.output<typeof Notice>;

/** By `consent` as it is when it is sent, however long the notice has waited: it may have been withdrawn meanwhile. */
export function withConsent(notice: Notice, consent: Consent = {}): Notice {
  return { ...notice, data: { ...notice.data, consent: consentedChannels(consent) } };
}

export function consentedChannels(consent: Consent): Channel[] {
  return Object.entries(consent)
    .filter(([, given]) => given)
    .map(([channel]) => channel as Channel);
}

/** As it is sent: with what the customer complained of. */
export function withTopic(notice: Notice, topic: string | undefined): Notice {
  if (topic === undefined) return notice;
  const { cause, reasons } = notice.data;
  const told = reasons.map((reason) =>
    reason.feature === 'complaint' ? { ...reason, text: `complained: ${topic}` } : reason,
  );
  return { ...notice, data: { ...notice.data, cause: { ...cause, topic }, reasons: told } };
}

/** What waits to become notices: a cause, or customers whose risk is to be looked at because their record has changed. */
export const OutboxEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cause'), customerId: CustomerId, cause: NoticeCause }),
  z.strictObject({ kind: z.literal('changed'), customerIds: z.array(CustomerId) }),
]);
export type OutboxEntry = z.output<typeof OutboxEntry>;
