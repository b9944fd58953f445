/** Whom a decision is for: a customer, or a guest known by the session. */

import type { CustomerId, SessionId } from '../domain/ids.ts';
import { customerOfSession } from '../features/guest-events.ts';
import { guestSubject } from '../features/subject.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';

export type DecisionSubject = { customerId: CustomerId } | { sessionId: SessionId };

/** The id under which the subject's record and keys are kept. */
export function subjectIdOf(subject: DecisionSubject): string {
  return 'customerId' in subject ? subject.customerId : guestSubject(subject.sessionId);
}

/**
 * A guest who has logged in is the customer: what she has been given as either counts. One round trip for a session, none for a
 * customer.
 */
export async function knownSubject(
  subject: DecisionSubject,
  deps: { redis: Redis; keys: Keys },
): Promise<DecisionSubject> {
  if ('customerId' in subject) return subject;
  const customerId = await customerOfSession(subject.sessionId, deps);
  return customerId === undefined ? subject : { customerId };
}
