/** Attributes of many customers, as a CRM hands them over: each becomes an event of its own, as by `PUT /customers/{customerId}`. */
import type { Customer, CustomerAttributes } from '../../domain/customer.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { mergeAttributes } from '../../features/record.ts';
import type { AcceptResult } from '../events/accept-events.ts';

/** Of one customer: taken, or not and why. */
export type PutResult = { customerId: string; status: 'accepted' | 'rejected'; reason?: string };

export type PutCustomers = {
  /** Taken, each once. */
  accepted: number;
  rejected: number;
  /** Of those taken, the ones that are in the history and not in force yet. */
  deferred: number;
  /** One for each customer, in the order in which they came first. */
  results: PutResult[];
};

/**
 * `accept`: `acceptEvents` or what counts besides; throws what that throws. Of a customer who comes twice both count, the later one where
 * they differ: two events of one instant would have no order.
 */
export async function putCustomers(
  customers: readonly Customer[],
  accept: (inputs: readonly ParsedEventInput[]) => Promise<AcceptResult>,
): Promise<PutCustomers> {
  const attributesOf = new Map<CustomerId, CustomerAttributes>();
  for (const { customerId, ...attributes } of customers)
    attributesOf.set(customerId, mergeAttributes(attributesOf.get(customerId) ?? {}, attributes));
  const each = [...attributesOf];
  const { results, deferred } = await accept(
    each.map(([customerId, attributes]) => ({
      type: 'customerUpdated',
      customerId,
      attributes,
      channel: 'web',
    })),
  );
  const put = each.map(([customerId], c): PutResult => {
    const { status, reason = 'is not valid' } = results[c] ?? {};
    return status === 'rejected' ? { customerId, status, reason } : { customerId, status: 'accepted' };
  });
  const rejected = put.filter(({ status }) => status === 'rejected').length;
  return { accepted: put.length - rejected, rejected, deferred, results: put };
}
