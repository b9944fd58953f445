/**
 * The CRM's attributes of a customer, changed by an event like all else that is known of her. Who has had no answer sends the same again:
 * under the same `eventId` it is in the history once. A known id must not hide a change, though: what it is answered with is in force.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CustomerAttributes } from '../../domain/customer.ts';
import { AppError } from '../../domain/errors.ts';
import type { CustomerId, EventId } from '../../domain/ids.ts';
import { mergeAttributes } from '../../features/record.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { type SubmitDeps, submitEvents } from '../events/submit-events.ts';

type ChangeDeps = SubmitDeps & { records: Pick<RecordStore, 'read'> };

/**
 * Answers all attributes, with the change in force. AppError INVALID_REQUEST where it is refused, STORE_UNAVAILABLE where it is in the
 * history and not in force yet, CONFLICT where the id is known and the change is not (or no longer) in force.
 */
export async function changeAttributes(
  customerId: CustomerId,
  attributes: CustomerAttributes,
  eventId: EventId | undefined,
  deps: ChangeDeps,
): Promise<CustomerAttributes> {
  const { results, deferred } = await submitEvents(
    [{ type: 'customerUpdated', customerId, attributes, channel: 'web', ...(eventId && { eventId }) }],
    deps,
  );
  const [result] = results;
  if (result?.status === 'rejected')
    throw new AppError('INVALID_REQUEST', {
      public: 'The request has a fault.',
      faults: [{ path: 'body', message: result.reason ?? 'is not valid' }],
    });
  if (deferred > 0) throw notInForce();
  const known = (await deps.records.read(customerId))?.attributes ?? {};
  if (result?.status === 'duplicate' && !isDeepStrictEqual(mergeAttributes(known, attributes), known))
    throw new AppError('CONFLICT', {
      public:
        'This eventId has been told before, and what is known of the customer differs: it was given to something else, or has been ' +
        'overtaken by a later change. Nothing was changed. To have this count now, send it with an eventId of its own.',
    });
  return known;
}

/** Consent may be among it: nobody is told that it is withdrawn while decisions still read that it is given. */
export function notInForce(): AppError {
  return new AppError('STORE_UNAVAILABLE', {
    public: 'This is written down and not in force yet. Send it again, until it is answered with 200.',
    internal: 'the record was not updated; `record.deferred` says why',
    retryAfterSeconds: 1,
  });
}
