/** Whether a decision was made for whoever an event is about. */
import type { DecisionOutline } from '../../decide/decision-outline.ts';
import { subjectIdOf } from '../../decide/subject.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import type { Deps } from '../deps.ts';

/** A guest who has logged in since is the one who was decided for: what the session was offered is in the customer's contacts by then. */
export async function wasMadeFor(
  decision: DecisionOutline,
  { customerId, sessionId }: Pick<ParsedEventInput, 'customerId' | 'sessionId'>,
  { contacts }: Pick<Deps, 'contacts'>,
): Promise<boolean> {
  if (decision.customerId !== undefined) return decision.customerId === customerId;
  if (decision.sessionId !== undefined && decision.sessionId === sessionId) return true;
  if (customerId === undefined) return false;
  const { history } = await contacts.read(subjectIdOf({ customerId }));
  return history.some(({ decisionId }) => decisionId === decision.decisionId);
}
