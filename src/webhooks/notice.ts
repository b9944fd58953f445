/** A cause and what is known of the customer, as the notice that is sent. */
import { createHash } from 'node:crypto';
import type { CustomerAttributes } from '../domain/customer.ts';
import type { CustomerId } from '../domain/ids.ts';
import {
  consentedChannels,
  NOTICE_TYPES,
  type Notice,
  type NoticeCause,
  type NoticeReason,
} from '../domain/webhook.ts';
import { suggestAction } from './suggest-action.ts';

export type KnownCustomer = {
  attributes: CustomerAttributes;
  /** By name; null = unknown. */
  features: Readonly<Record<string, number | null>>;
  churn: Notice['data']['churn'];
  value: Notice['data']['value'];
  /** What raises the risk, strongest first. */
  reasons: readonly NoticeReason[];
};

export const strangerToRecords: KnownCustomer = {
  attributes: {},
  features: {},
  churn: null,
  value: null,
  reasons: [],
};

export function noticeOf(customerId: CustomerId, cause: NoticeCause, known: KnownCustomer): Notice {
  const ofRisk = cause.kind === 'churnRisk';
  return {
    id: noticeId(customerId, cause),
    type: NOTICE_TYPES[cause.kind],
    timestamp: new Date(cause.at).toISOString(),
    data: {
      customerId,
      cause: tellCause(cause),
      churn: ofRisk ? { risk: cause.risk, horizonDays: cause.horizonDays } : known.churn,
      value: known.value,
      reasons: ofRisk ? cause.reasons : [reasonOf(cause), ...known.reasons],
      suggestedAction: suggestAction(cause.kind, known.features),
      consent: consentedChannels(known.attributes.consent ?? {}),
    },
  };
}

/**
 * Names the cause, not the notice: made twice of one cause, they have one id. A hash, for it is a job's id and stands in
 * logs, where no customer is named. An event id is the customer's own; a crossing belongs to its bound and horizon.
 */
export function noticeId(customerId: CustomerId, cause: NoticeCause): string {
  const { kind } = cause;
  const own = kind === 'churnRisk' ? [cause.bound, cause.horizonDays, cause.belowSince] : [cause.eventId];
  const hash = createHash('sha256').update(JSON.stringify([customerId, kind, ...own]));
  return `${kind}_${hash.digest('hex').slice(0, 32)}`;
}

function tellCause(cause: NoticeCause): Notice['data']['cause'] {
  if (cause.kind === 'churnRisk')
    return { risk: cause.risk, bound: cause.bound, horizonDays: cause.horizonDays };
  const { eventId, channel } = cause;
  // Without its topic, which somebody has typed: that is in no job (complaint-topics.ts).
  if (cause.kind === 'complaint') return { eventId, channel };
  const { rating, itemId } = cause;
  return { eventId, channel, rating, ...(itemId !== undefined && { itemId }) };
}

function reasonOf(cause: Exclude<NoticeCause, { kind: 'churnRisk' }>): NoticeReason {
  if (cause.kind === 'lowRating') return { feature: 'rating', text: `rated ${cause.rating} of 5` };
  return { feature: 'complaint', text: 'complained' };
}
