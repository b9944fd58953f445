/**
 * The id of what an order brings, where its sender gives none: shop systems send an order again when an answer is late, and the order
 * number is all that tells. Content is part of it, for an order may come in several parts under one number.
 */
import { createHash } from 'node:crypto';
import type { ParsedEventInput } from '../../domain/event.ts';
import type { EventId } from '../../domain/ids.ts';

/**
 * The same for the same purchase or return of an order, in every process: by customer or session, order, lines and, where it is told,
 * time. Of lines it takes what was sent, never what the catalogue adds, for that changes. Undefined for what names no order.
 */
export function orderEventId(input: ParsedEventInput): EventId | undefined {
  if ((input.type !== 'purchase' && input.type !== 'return') || input.orderId === undefined) return undefined;
  const { type, orderId, customerId, sessionId, occurredAt = null } = input;
  const lines = input.lines.map(({ itemId, quantity, unitPriceMinor = null, discountMinor = null }) => [
    itemId,
    quantity,
    unitPriceMinor,
    discountMinor,
  ]);
  // A customer's order is hers from whichever session it is told.
  const subject = customerId === undefined ? [null, sessionId] : [customerId];
  const told = JSON.stringify([type, orderId, subject, lines, occurredAt]);
  return `order:${createHash('sha256').update(told).digest('base64url')}` as EventId;
}
