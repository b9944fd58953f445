/**
 * Whether a known event is the outcome that is being told: its id may have been given to another event before, to the purchase that it
 * came with, or to another outcome. Then it is in no history, and nothing may be settled for it.
 */
import { readOutcome } from '../../decide/outcome-log.ts';
import type { OfferId } from '../../domain/ids.ts';
import type { LogEntry } from '../../domain/log-entry.ts';
import type { OfferOutcome } from '../../domain/offer.ts';
import { readMarker } from '../../features/event-markers.ts';
import { readEntry } from '../../infra/event-log.ts';
import type { Deps } from '../deps.ts';

type ToldOutcome = { eventId: string; decisionId: string; offerId: OfferId; outcome: OfferOutcome };

/**
 * Of an event of this id and subject that was accepted before: beside its decision, in the event stream until the drain has taken it,
 * then in the lake. Rejects with TOO_MANY_REQUESTS while much else is being looked for there.
 */
export async function isKnownOutcome(
  told: ToldOutcome,
  subjectId: string,
  deps: Pick<Deps, 'redis' | 'keys' | 'past'>,
): Promise<boolean> {
  const noted = await readOutcome(told.decisionId, told.eventId, deps);
  if (noted !== undefined) return isSame(noted, told);
  const streamId = await readMarker(subjectId, told.eventId, deps);
  const entry = streamId === null ? undefined : await readEntry(deps.redis, deps.keys, streamId);
  if (entry !== undefined) return isOutcome(entry, told);
  const past = await deps.past.find(told.decisionId);
  return past?.outcomes.some((one) => one.eventId === told.eventId && isSame(one, told)) ?? false;
}

function isOutcome(entry: LogEntry, told: ToldOutcome): boolean {
  if (entry.kind !== 'event' || entry.event.type !== 'offerOutcome') return false;
  return entry.event.decisionId === told.decisionId && isSame(entry.event, told);
}

function isSame(one: { offerId: string; outcome: OfferOutcome }, told: ToldOutcome): boolean {
  return one.offerId === told.offerId && one.outcome === told.outcome;
}
