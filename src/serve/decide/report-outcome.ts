/**
 * What became of an offer that was made: an event in the customer's history, a line in the decision's own, and a count on the
 * offer. Whatever is told again changes nothing.
 */
import { createHash } from 'node:crypto';
import { type Attribution, attributionOf } from '../../decide/attribution.ts';
import { countedField, countRedeemed } from '../../decide/count-offers.ts';
import { madeOffers } from '../../decide/decision-log.ts';
import type { DecisionOutline, OutlinedOffer } from '../../decide/decision-outline.ts';
import { keptSeconds } from '../../decide/kept-seconds.ts';
import { noteOutcome, readOutcome } from '../../decide/outcome-log.ts';
import { contactsOf, settleOutcome } from '../../decide/settle-outcome.ts';
import { toldUntil } from '../../decide/told-until.ts';
import { AppError } from '../../domain/errors.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { EventId, type OfferId } from '../../domain/ids.ts';
import type { OfferOutcome } from '../../domain/offer.ts';
import { subjectOf } from '../../features/subject.ts';
import type { Deps } from '../deps.ts';
import { submitEvents } from '../events/submit-events.ts';
import { findLogged } from './explain-decision.ts';
import { isKnownOutcome } from './known-outcome.ts';

export type OutcomeReport = {
  offerId: OfferId;
  outcome: OfferOutcome;
  /** Value of the order that it led to. */
  valueMinor: number | undefined;
  /** What the redemption has cost the shop. */
  costMinor: number | undefined;
  /** When it happened, in milliseconds since 1970; now, where it is absent. */
  occurredAt: number | undefined;
  /** Tells apart outcomes that may happen more than once; by default each outcome of an offer counts once a decision. */
  eventId: EventId | undefined;
};

export type OutcomeAnswer = {
  eventId: EventId;
  duplicate: boolean;
  /** false: redeemed before the offer was made, or when the time for it was over. It is in the history, and its cost counts; its purchase is not the offer's. */
  attributed: boolean;
};

/**
 * Throws AppError NOT_FOUND for a decision that was not logged and CONFLICT for an offer that it did not make, for a redemption of its
 * fallback, or for the `eventId` of another event.
 */
export async function reportOutcome(
  decisionId: string,
  report: OutcomeReport,
  deps: Deps,
): Promise<OutcomeAnswer> {
  const told = readOutcome(decisionId, eventIdOf(decisionId, report), deps);
  told.catch(() => {});
  const decision = await findLogged(decisionId, deps);
  if (decision === undefined) throw noSuchDecision();
  const offer = offerOf(decision, report.offerId);
  if (offer === undefined) throw notOfThisDecision(decision);
  if (report.outcome === 'redeemed' && isStandIn(decision, offer)) throw nothingToRedeem();
  const { attribution, ...answer } = await reportFor(decision, offer, report, deps, told);
  return { ...answer, attributed: attribution === 'attributed' };
}

/** The same for a decision that has been found, and the offer of it; `told`: what is known of this report from before. */
export async function reportFor(
  decision: DecisionOutline,
  offer: OutlinedOffer,
  report: OutcomeReport,
  deps: Deps,
  told = readOutcome(decision.decisionId, eventIdOf(decision.decisionId, report), deps),
): Promise<Omit<OutcomeAnswer, 'attributed'> & { attribution: Attribution }> {
  // Not everybody waits for it, and what rejects unheard ends the process.
  told.catch(() => {});
  if (report.outcome === 'redeemed' && isToldTooLate(decision, offer, deps))
    throw toldTooLate(decision, offer);
  const eventId = eventIdOf(decision.decisionId, report);
  // What is told again happened when it was told first: so the history finds the repeat, however late.
  const at = report.occurredAt ?? (await told)?.at ?? deps.now();
  const event = outcomeEvent(decision, report, eventId, at);
  const contacts = contactsOf(decision, deps);
  contacts?.catch(() => {});
  // After the event is in the stream, and for repeats too: a first attempt may have ended in between.
  const settling: Promise<Attribution | 'conflict'>[] = [];
  const { duplicates, results } = await submitEvents([event], deps, ([accepted]) => {
    if (accepted?.status === 'rejected') return;
    const isRepeat = accepted?.status === 'duplicate';
    const settled = settleAccepted(decision, offer, event, isRepeat, deps, contacts);
    // Heard of below, when the record is up to date.
    settled.catch(() => {});
    settling.push(settled);
  });
  const [settled] = settling;
  if (settled === undefined) {
    const faults = [{ path: 'body', message: results[0]?.reason ?? 'is not a valid event' }];
    throw new AppError('INVALID_REQUEST', { public: 'The request has a fault.', faults });
  }
  const duplicate = duplicates > 0;
  const attribution = await settled;
  if (attribution === 'conflict') throw eventOfAnother(eventId);
  countOutcome(event, duplicate, deps);
  return { eventId, duplicate, attribution };
}

type OutcomeEvent = Extract<ParsedEventInput, { type: 'offerOutcome' }> & {
  eventId: EventId;
  occurredAt: number;
};

/** As it stands in the history of whomever the decision was made for. */
export function outcomeEvent(
  decision: DecisionOutline,
  { offerId, outcome, valueMinor, costMinor }: Sums & { offerId: OfferId; outcome: OfferOutcome },
  eventId: EventId,
  at: number,
): OutcomeEvent {
  const heldSince = offerOf(decision, offerId)?.heldSince;
  return {
    type: 'offerOutcome',
    eventId,
    ...(decision.customerId !== undefined && { customerId: decision.customerId }),
    ...(decision.sessionId !== undefined && { sessionId: decision.sessionId }),
    channel: decision.channel,
    occurredAt: at,
    decisionId: decision.decisionId,
    offerId,
    ...(heldSince !== undefined && { heldSince }),
    outcome,
    ...(valueMinor !== undefined && { valueMinor }),
    ...(costMinor !== undefined && { costMinor }),
  };
}

/**
 * An outcome whose event is in the stream now, or (`isRepeat`) was accepted before; `conflict`: that was another event of its id, and
 * nothing is settled. `contacts`: `contactsOf` the decision, as below.
 */
export async function settleAccepted(
  decision: DecisionOutline,
  offer: OutlinedOffer,
  event: OutcomeEvent,
  isRepeat: boolean,
  deps: Deps,
  contacts = contactsOf(decision, deps),
): Promise<Attribution | 'conflict'> {
  contacts?.catch(() => {});
  // The id that an outcome has by default is no other's.
  const isOwn = event.eventId !== outcomeEventId(decision.decisionId, event.offerId, event.outcome);
  if (isRepeat && isOwn && !(await isKnownOutcome(event, subjectOf(event), deps))) return 'conflict';
  return await settleReport(decision, offer, event, deps, contacts);
}

type Sums = { valueMinor?: number | undefined; costMinor?: number | undefined };

/**
 * An outcome whose event has been accepted, now or before, in the ledgers, the decision's own line of outcomes, and the offer's count.
 */
async function settleReport(
  decision: DecisionOutline,
  offer: OutlinedOffer,
  { eventId, offerId, outcome, occurredAt: at, valueMinor, costMinor }: OutcomeEvent,
  deps: Deps,
  contacts: ReturnType<typeof contactsOf>,
): Promise<Attribution> {
  const { decisionId } = decision;
  const sums = {
    ...(valueMinor !== undefined && { valueMinor }),
    ...(costMinor !== undefined && { costMinor }),
  };
  // Neither waits for the other, since each may be repeated by itself.
  const knownSeconds =
    outcome === 'redeemed' ? redemptionKnownSeconds(decision, offer, deps) : keptSeconds(decision);
  const [budget] = await Promise.all([
    settleOutcome(decision, offer, { outcome, at, ...sums }, deps.market.known(), deps, contacts),
    noteOutcome(decisionId, { eventId, offerId, outcome, at, ...sums }, knownSeconds, deps),
  ]);
  if (budget !== undefined) deps.metrics.budgetOutcomes.inc({ outcome: budget });
  // Of an offer that several decisions showed, held, the one that made it counts: it was made once.
  const madeBy = offer.heldSince ?? decisionId;
  if (outcome === 'redeemed') {
    const field = countedField(offer, madeBy, Date.parse(decision.decidedAt));
    await countRedeemed(deps.redis, deps.keys, { decisionId: madeBy, offerId, field }, knownSeconds);
  }
  return attributionOf(Date.parse(decision.decidedAt), offer, outcome, at);
}

/** Once it is settled. `isRepeat`: it had been accepted before. */
export function countOutcome(
  { outcome }: Pick<OutcomeEvent, 'outcome'>,
  isRepeat: boolean,
  { metrics }: Pick<Deps, 'metrics'>,
): void {
  metrics.offerOutcomes.inc({ outcome: isRepeat ? 'duplicate' : outcome });
}

function toldUntilOf({ decidedAt }: DecisionOutline, offer: OutlinedOffer): number {
  return toldUntil(offer, Date.parse(decidedAt));
}

/** From now on, as long as it may be told again, and the decision is known. */
export function redemptionKnownSeconds(
  decision: DecisionOutline,
  offer: OutlinedOffer,
  { now }: Pick<Deps, 'now'>,
): number {
  return Math.max(keptSeconds(decision), Math.ceil((toldUntilOf(decision, offer) - now()) / 1000));
}

/** So late that nobody could say whether it has been told before. */
export function isToldTooLate(
  decision: DecisionOutline,
  offer: OutlinedOffer,
  { now }: Pick<Deps, 'now'>,
): boolean {
  return now() >= toldUntilOf(decision, offer);
}

export function offerOf({ placements }: DecisionOutline, offerId: string): OutlinedOffer | undefined {
  return placements.flatMap(({ offers }) => offers).find((offer) => offer.offerId === offerId);
}

/** Nothing was worth making, and the offer stands in: of that there is nothing to redeem. */
export function isStandIn({ placements }: DecisionOutline, offer: OutlinedOffer): boolean {
  return placements.some(({ offers, fallback }) => fallback === true && offers.includes(offer));
}

export function noSuchDecision(): AppError {
  return new AppError('NOT_FOUND', {
    public: 'There is no such decision; dry runs and degraded answers are not kept.',
  });
}

function toldTooLate(decision: DecisionOutline, offer: OutlinedOffer): AppError {
  const until = new Date(toldUntilOf(decision, offer)).toISOString();
  return new AppError('CONFLICT', {
    public: `A redemption of this offer could be told of until ${until}; nothing was counted.`,
    faults: [{ path: 'body.outcome', message: `could be told of until ${until}` }],
  });
}

function nothingToRedeem(): AppError {
  return new AppError('CONFLICT', {
    public:
      'The offer stood in as the fallback: there is nothing of it to redeem. The purchase counts as one (POST /events).',
    faults: [{ path: 'body.outcome', message: 'may be viewed, clicked or dismissed, of a fallback' }],
  });
}

function eventOfAnother(eventId: EventId): AppError {
  return new AppError('CONFLICT', {
    public: `Another event of this customer has the eventId ${eventId}; nothing was counted. Send the outcome with an eventId of its own, or with none.`,
    faults: [{ path: 'body.eventId', message: 'is the id of another event' }],
  });
}

function notOfThisDecision(decision: DecisionOutline): AppError {
  const made = madeOffers(decision);
  return new AppError('CONFLICT', {
    public:
      made.length === 0
        ? 'This decision made no offer.'
        : `This decision did not make that offer; it made ${made.join(', ')}.`,
    faults: [{ path: 'body.offerId', message: 'is not an offer of this decision' }],
  });
}

function eventIdOf(decisionId: string, { eventId, offerId, outcome }: OutcomeReport): EventId {
  return eventId ?? outcomeEventId(decisionId, offerId, outcome);
}

/** The same for the same outcome of the same offer of the same decision. */
export function outcomeEventId(decisionId: string, offerId: OfferId, outcome: OfferOutcome): EventId {
  const digest = createHash('sha256')
    .update(JSON.stringify([decisionId, offerId, outcome]))
    .digest('base64url');
  return EventId.parse(`outcome-${digest}`);
}
