/** What became of an offer that was made: an event in the customer's history, and a count on the offer. */
import { createHash } from 'node:crypto';
import { countRedeemed } from '../../decide/count-offers.ts';
import { madeOffers, readDecision } from '../../decide/decision-log.ts';
import { AppError } from '../../domain/errors.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { EventId, type OfferId } from '../../domain/ids.ts';
import type { OfferOutcome } from '../../domain/offer.ts';
import type { Deps } from '../deps.ts';
import { submitEvents } from '../events/submit-events.ts';

export type ReportedOutcome = {
  offerId: OfferId;
  outcome: OfferOutcome;
  valueMinor: number | undefined;
  /** Tells apart outcomes that may happen more than once; by default each outcome of an offer counts once a decision. */
  eventId: EventId | undefined;
};

/**
 * Accepts an outcome; a repeat changes nothing. Throws AppError NOT_FOUND for a decision that was not logged (or is older
 * than 30 days) and CONFLICT for an offer that it did not make.
 */
export async function reportOutcome(
  decisionId: string,
  reported: ReportedOutcome,
  deps: Deps,
): Promise<{ eventId: EventId; duplicate: boolean }> {
  const { offerId, outcome, valueMinor } = reported;
  const decision = await readDecision(decisionId, deps);
  if (decision === undefined) throw noSuchDecision();
  const made = madeOffers(decision);
  if (!made.includes(offerId)) {
    throw new AppError('CONFLICT', {
      public:
        made.length === 0
          ? 'This decision made no offer.'
          : `This decision did not make that offer; it made ${made.join(', ')}.`,
      faults: [{ path: 'body.offerId', message: 'is not an offer of this decision' }],
    });
  }
  const eventId = reported.eventId ?? outcomeEventId(decisionId, offerId, outcome);
  const event: ParsedEventInput = {
    type: 'offerOutcome',
    eventId,
    ...(decision.customerId !== undefined && { customerId: decision.customerId }),
    ...(decision.sessionId !== undefined && { sessionId: decision.sessionId }),
    channel: decision.channel,
    decisionId,
    offerId,
    outcome,
    ...(valueMinor !== undefined && { valueMinor }),
  };
  const { duplicates, results } = await submitEvents([event], deps);
  if (results[0]?.status === 'rejected') {
    const faults = [{ path: 'body', message: results[0].reason ?? 'is not a valid event' }];
    throw new AppError('INVALID_REQUEST', { public: 'The request has a fault.', faults });
  }
  // After the event, and for repeats too: a first attempt may have ended in between.
  if (outcome === 'redeemed') await countRedeemed(deps.redis, deps.keys, decisionId, offerId);
  deps.metrics.offerOutcomes.inc({ outcome: duplicates > 0 ? 'duplicate' : outcome });
  return { eventId, duplicate: duplicates > 0 };
}

export function noSuchDecision(): AppError {
  return new AppError('NOT_FOUND', {
    public:
      'There is no such decision. Decisions are kept for 30 days; dry runs and degraded answers are not kept.',
  });
}

/** The same for the same outcome of the same offer of the same decision. */
function outcomeEventId(decisionId: string, offerId: OfferId, outcome: OfferOutcome): EventId {
  const digest = createHash('sha256')
    .update(JSON.stringify([decisionId, offerId, outcome]))
    .digest('base64url');
  return EventId.parse(`outcome-${digest}`);
}
