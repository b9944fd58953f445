/** Whose record an event belongs to. */

import type { ShopEvent } from '../domain/event.ts';
import { dayMs } from '../domain/time.ts';

const guestPrefix = 'session:';

/** How long a guest's record is kept after the last event. */
export const guestTtlMs = dayMs;

/** The customer's id; for a guest `session:<sessionId>` (`CustomerId` refuses that prefix). */
export function subjectOf(event: {
  customerId?: ShopEvent['customerId'];
  sessionId?: ShopEvent['sessionId'];
}): string {
  if (event.customerId !== undefined) return event.customerId;
  return guestSubject(event.sessionId ?? '');
}

export function guestSubject(sessionId: string): string {
  return `${guestPrefix}${sessionId}`;
}

export function isGuest(subjectId: string): boolean {
  return subjectId.startsWith(guestPrefix);
}
