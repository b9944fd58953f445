/** The one order of a customer's events: by time, then by event id. */

/** Negative when `a` comes first. Ids compare by their UTF-8 bytes, as DuckDB orders them; UTF-16 units would differ. */
export function compareEventOrder(
  a: { occurredAt: number; eventId: string },
  b: { occurredAt: number; eventId: string },
): number {
  if (a.occurredAt !== b.occurredAt) return a.occurredAt - b.occurredAt;
  if (a.eventId === b.eventId) return 0;
  return Buffer.compare(Buffer.from(a.eventId), Buffer.from(b.eventId));
}
