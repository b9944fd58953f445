/**
 * What the ledger of contacts is to know of an offer that is made: every contact where the shop goes to the customer; elsewhere
 * what a cap counts, and what the customer may redeem from now on.
 */
import type { Channel } from '../../domain/channel.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import { DISCOUNTS, type Offer } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import type { Contact } from '../../offers/contact-history.ts';
import type { CompiledContactPolicy } from '../../offers/contact-policy.ts';

/** How long after its last moment a redemption may be told of, before its budget is free again. */
export const reportingMs = 3 * dayMs;

/** A message that was decided on counts as sent: as long as any cap looks back. */
const contactKeptMs = 366 * dayMs;

export type Making = {
  decisionId: string;
  /** undefined: the decision is one by itself. */
  occasionId: string | undefined;
  channel: Channel;
  /** Milliseconds since 1970. */
  at: number;
  /** undefined: there is nothing to redeem, or the customer has it already and it is open by the contact that gave it. */
  redeemableUntil: number | undefined;
};

export function contactFor(
  { offerId, benefit, caps }: Pick<Offer, 'offerId' | 'benefit' | 'caps'>,
  { decisionId, occasionId = decisionId, channel, at, redeemableUntil }: Making,
  policy: Pick<CompiledContactPolicy, 'limitsOn'>,
): Contact[] {
  const goesOut = CONTACT_CHANNELS.has(channel);
  const isCounted = goesOut || caps.length > 0 || policy.limitsOn(channel).caps.length > 0;
  if (!isCounted && redeemableUntil === undefined) return [];
  const open = redeemableUntil ?? at;
  return [
    {
      occasionId,
      decisionId,
      offerId,
      channel,
      at,
      discount: DISCOUNTS.has(benefit.kind),
      redeemableUntil: open,
      state: 'reserved',
      stateAt: at,
      expiresAt: isCounted ? at + contactKeptMs : open + reportingMs,
    },
  ];
}
