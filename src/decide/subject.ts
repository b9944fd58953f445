/** Whom a decision is for: a customer, or a guest known by the session. */

import type { CustomerId, SessionId } from '../domain/ids.ts';
import { guestSubject } from '../features/subject.ts';

export type DecisionSubject = { customerId: CustomerId } | { sessionId: SessionId };

/** The id under which the subject's record and keys are kept. */
export function subjectIdOf(subject: DecisionSubject): string {
  return 'customerId' in subject ? subject.customerId : guestSubject(subject.sessionId);
}
