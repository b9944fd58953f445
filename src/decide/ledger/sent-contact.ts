/**
 * A message that the shop's tools have sent by themselves, as the ledger of contacts keeps it: whoever sent it, it reached the
 * customer, and counts for caps and the gap. One that a decision was made for is that decision's contact already.
 */
import { createHash } from 'node:crypto';
import type { Channel } from '../../domain/channel.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import { dayMs } from '../../domain/time.ts';
import type { Contact, ContactHistory } from '../../offers/contact-history.ts';
import type { CompiledContactPolicy } from '../../offers/contact-policy.ts';
import { occasionName } from '../occasion.ts';
import { reportingMs } from './contact-for.ts';

/** Of an event `marketingContact` with the outcome `sent`; `at` in milliseconds since 1970. */
export type SentMessage = { eventId: string; channel: Channel; campaign: string | undefined; at: number };

/** Names no offer: what it was about is the tool's own. */
const noOffer = '';

/** undefined: it is there already, or no rule counts it any more by `now`. It is kept for as long as a rule looks back. */
export function sentContact(
  { eventId, channel, campaign, at }: SentMessage,
  history: ContactHistory,
  policy: Pick<CompiledContactPolicy, 'limitsOn'>,
  now: number,
): Contact | undefined {
  const { caps, gap } = policy.limitsOn(channel);
  const expiresAt = at + Math.max(gap?.ms ?? 0, ...caps.map(({ days }) => days * dayMs));
  if (expiresAt <= now || expiresAt <= at) return undefined;
  const decisionId = sentId(eventId);
  const isNamed = campaign !== undefined || CONTACT_CHANNELS.has(channel);
  const occasion = isNamed ? occasionName(channel, campaign) : decisionId;
  const isThere = history.some(
    (contact) =>
      contact.decisionId === decisionId ||
      (contact.occasionId.startsWith(`${occasion}.`) &&
        at - contact.at < reportingMs &&
        contact.at - at < dayMs),
  );
  if (isThere) return undefined;
  return {
    occasionId: `${occasion}.${at.toString(36)}`,
    decisionId,
    offerId: noOffer,
    channel,
    at,
    discount: false,
    redeemableUntil: at,
    state: 'reserved',
    stateAt: at,
    expiresAt,
  };
}

/** In the place of a decision's: the same for the same event. */
export function sentId(eventId: string): string {
  return `sent.${createHash('sha256').update(eventId).digest('base64url').slice(0, 12)}`;
}
