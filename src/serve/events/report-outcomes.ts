/**
 * Outcomes of offers that are sent among other events. Each is taken into the history as it is told; that of a decision of this
 * customer's also is settled, as if it had been reported to the decision, under the id that it always has, so that it counts once
 * whichever way it comes.
 */
import { z } from 'zod';
import type { DecisionOutline, OutlinedOffer } from '../../decide/decision-outline.ts';
import { readOutcome } from '../../decide/outcome-log.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { subjectOf } from '../../features/subject.ts';
import { findManyLogged } from '../decide/explain-decision.ts';
import { wasMadeFor } from '../decide/made-for.ts';
import {
  countOutcome,
  isStandIn,
  isToldTooLate,
  offerOf,
  outcomeEvent,
  outcomeEventId,
  settleAccepted,
} from '../decide/report-outcome.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';

/**
 * `counted`; `early`, `late`: redeemed before it was made, or when the time for it was over, so that its purchase is not the offer's; `unknown`: no decision made this
 * customer such an offer, so that it stands in the history alone, as does `fallback`: redeemed, of what stood in where nothing was worth making; `tooLate`: a redemption of so long ago that its cost is not counted; `conflict`: another event of this customer has its `eventId`, so that nothing of it was counted; `failed`: it is in the history and could not be settled now, report
 * it to its decision.
 */
export const OutcomeStatus = z.enum([
  'counted',
  'early',
  'late',
  'tooLate',
  'fallback',
  'conflict',
  'unknown',
  'failed',
]);
export type OutcomeStatus = z.output<typeof OutcomeStatus>;

type OutcomeInput = Extract<ParsedEventInput, { type: 'offerOutcome' }>;
type Found = { decision: DecisionOutline; offer: OutlinedOffer; event: ReturnType<typeof outcomeEvent> };

export type FoundOutcomes = {
  /** The same events, those outcomes whose decisions were found as they are reported. */
  inputs: readonly ParsedEventInput[];
  /** By the event's place; undefined: an outcome that no decision is known for. */
  byIndex: ReadonlyMap<number, Found | undefined>;
};

const noneFound: FoundOutcomes['byIndex'] = new Map();

/** Before any event is accepted, so that nothing has happened yet where a decision cannot be looked for: that rejects. */
export async function findOutcomes(inputs: readonly ParsedEventInput[], deps: Deps): Promise<FoundOutcomes> {
  if (!inputs.some(({ type }) => type === 'offerOutcome')) return { inputs, byIndex: noneFound };
  // At once: one question to the lake, and not one each.
  const decisions = findManyLogged(
    inputs.flatMap((input) => (input.type === 'offerOutcome' ? [input.decisionId] : [])),
    deps,
  );
  const byIndex = new Map<number, Found | undefined>();
  const told: ParsedEventInput[] = [];
  for (const [index, input] of inputs.entries()) {
    if (input.type !== 'offerOutcome') {
      told.push(input);
      continue;
    }
    const found = await foundFor(input, await decisions.get(input.decisionId), deps);
    byIndex.set(index, found);
    told.push(found?.event ?? input);
  }
  return { inputs: told, byIndex };
}

async function foundFor(
  input: OutcomeInput,
  decision: DecisionOutline | undefined,
  deps: Deps,
): Promise<Found | undefined> {
  if (decision === undefined) return undefined;
  const { decisionId } = decision;
  const offer = offerOf(decision, input.offerId);
  if (offer === undefined || !(await wasMadeFor(decision, input, deps))) return undefined;
  const eventId = input.eventId ?? outcomeEventId(decisionId, input.offerId, input.outcome);
  // What is told again happened when it was told first.
  const at = input.occurredAt ?? (await readOutcome(decisionId, eventId, deps))?.at ?? deps.now();
  const { currency } = input;
  const event = {
    ...outcomeEvent(decision, input, eventId, at),
    ...(currency !== undefined && { currency }),
  };
  return { decision, offer, event };
}

/** After they were accepted, and for repeats too: a first attempt may have ended in between. By the event's place. */
export async function settleOutcomes(
  { byIndex }: FoundOutcomes,
  results: readonly EventResult[],
  deps: Deps,
): Promise<Map<number, OutcomeStatus>> {
  const statuses = new Map<number, OutcomeStatus>();
  const bySubject = new Map<string, { index: number; found: Found; result: EventResult }[]>();
  for (const [index, found] of byIndex) {
    const result = results[index];
    if (result === undefined || result.status === 'rejected') continue;
    if (found === undefined) {
      statuses.set(index, 'unknown');
      continue;
    }
    const subjectId = subjectOf(found.event);
    const ofSubject = bySubject.get(subjectId) ?? [];
    if (ofSubject.length === 0) bySubject.set(subjectId, ofSubject);
    ofSubject.push({ index, found, result });
  }
  // One customer's one after the other: at once, they would write over each other's contacts.
  await Promise.all(
    [...bySubject.values()].map(async (ofSubject) => {
      for (const { index, found, result } of ofSubject)
        statuses.set(index, await settleSafely(found, result, deps));
    }),
  );
  return statuses;
}

async function settleSafely(
  { decision, offer, event }: Found,
  { status }: EventResult,
  deps: Deps,
): Promise<OutcomeStatus> {
  if (event.outcome === 'redeemed' && isStandIn(decision, offer)) return 'fallback';
  if (event.outcome === 'redeemed' && isToldTooLate(decision, offer, deps)) return 'tooLate';
  try {
    const isRepeat = status === 'duplicate';
    const attribution = await settleAccepted(decision, offer, event, isRepeat, deps);
    if (attribution === 'conflict') return 'conflict';
    countOutcome(event, isRepeat, deps);
    return attribution === 'attributed' ? 'counted' : attribution;
  } catch (err) {
    // The event has been accepted: to refuse it now would have all of the request sent twice.
    deps.log.error(
      { event: 'outcome.failed', err, offerId: offer.offerId },
      'an outcome could not be settled with its decision',
    );
    return 'failed';
  }
}
