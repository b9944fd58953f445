/** Whether a decision was made for whoever an event is about. */
import type { DecisionOutline } from '../../decide/decision-outline.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { customerOfSession } from '../../features/guest-events.ts';
import type { Deps } from '../deps.ts';

/**
 * A guest who has logged in is the customer: what either was offered is hers, whichever of the two the event names. Where nobody
 * knows of the log-in any more, her contacts tell.
 */
export async function wasMadeFor(
  decision: DecisionOutline,
  { customerId, sessionId }: Pick<ParsedEventInput, 'customerId' | 'sessionId'>,
  deps: Pick<Deps, 'contacts' | 'redis' | 'keys'>,
): Promise<boolean> {
  const isSession = decision.sessionId !== undefined && decision.sessionId === sessionId;
  if (decision.customerId === undefined && isSession) return true;
  const whose = customerId ?? (sessionId && (await customerOfSession(sessionId, deps)));
  if (whose === undefined) return false;
  if (decision.customerId !== undefined) return decision.customerId === whose;
  if (decision.sessionId !== undefined && (await customerOfSession(decision.sessionId, deps)) === whose)
    return true;
  const { history } = await deps.contacts.read(whose);
  return history.some(({ decisionId }) => decisionId === decision.decisionId);
}
