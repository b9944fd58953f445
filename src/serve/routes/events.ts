/** What happened in the shop: the one way in for purchases, returns, views and all the rest. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { EventInput } from '../../domain/event.ts';
import type { AcceptResult } from '../events/accept-events.ts';
import { countSent } from '../events/count-sent.ts';
import { Redemption, redeemPurchases } from '../events/redeem-purchases.ts';
import { findOutcomes, OutcomeStatus, settleOutcomes } from '../events/report-outcomes.ts';
import { warningsOfPrices } from '../events/stamp-lines.ts';
import { submitEvents } from '../events/submit-events.ts';
import { defineRoute } from '../route.ts';

const eventsMax = 1000;

const Event = EventInput.meta({ id: 'Event' });
const many = z.array(Event).min(1).max(eventsMax);
const EventsBody = z.union([Event, many, z.strictObject({ events: many })]);

const EventsAnswer = z
  .object({
    accepted: z.int(),
    /** Dropped: an event of the same eventId had been accepted before. */
    duplicates: z.int(),
    rejected: z.int(),
    /** Of those accepted, the ones that reach their customer's record a little later. */
    deferred: z.int(),
    /** One for each event, in the order in which they were sent. */
    results: z.array(
      z.object({
        eventId: z.string(),
        status: z.enum(['accepted', 'duplicate', 'rejected']),
        /** Why it was rejected. */
        reason: z.string().optional(),
        /** Of a purchase that names offers as redeemed. */
        redemptions: z.array(Redemption).optional(),
        /** Of what became of an offer (`offerOutcome`): whether it counts for its decision. */
        outcome: OutcomeStatus.optional(),
      }),
    ),
    /** What was accepted and may not be meant: lines of purchases and returns that nobody knows a price of. */
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: 'EventsAccepted' });

export const eventRoutes = [
  defineRoute({
    method: 'POST',
    path: '/events',
    scope: 'events',
    summary: `One event, or up to ${eventsMax}`,
    description:
      'The body is one event, an array of them, or `{"events": […]}`. 202 means that what was accepted is in the durable ' +
      'log, and (but for those `deferred`) in the record of its customer. Where one event is malformed, none is accepted ' +
      'and every fault is named with its index. One that is well formed but cannot be right (a day in the future, another ' +
      'currency) is `rejected` by itself; 400 where that leaves none. An event with an `eventId` may be sent again at ' +
      'will: the repeat is dropped for seven days, and counts once ever after if it carries its `occurredAt`; so may a purchase or return ' +
      'without one that has an `orderId` and is the same again. A purchase may ' +
      'name the offers that were `redeemed` in it: each is an outcome of its decision, once, whoever else reports it. An ' +
      '`offerOutcome` is reported to its decision likewise; `outcome` of its result says what was found. A line of a purchase or ' +
      'return without `unitPriceMinor` has the price that the catalogue names at this moment; `warnings` tell where it names none.',
    tags: ['events'],
    body: EventsBody,
    responses: { 202: EventsAnswer },
    problems: [413, 415, 429, 503],
    onMalformed: (faults, deps) => deps.metrics.events.inc({ outcome: 'rejected' }, eventsWithFaults(faults)),
    handler: async ({ body }, deps) => {
      const sent = Array.isArray(body) ? body : 'events' in body ? body.events : [body];
      const found = await findOutcomes(sent, deps);
      const events = found.inputs;
      const result = await submitEvents(events, deps);
      if (result.rejected === events.length)
        throw allRejected(result, Array.isArray(body) || 'events' in body);
      await countSent(events, result.results, deps);
      const outcomes = await settleOutcomes(found, result.results, deps);
      const redemptions = await redeemPurchases(events, result.results, deps);
      const results = result.results.map((one, index) => {
        const ofEvent = redemptions.get(index);
        const outcome = outcomes.get(index);
        return { ...one, ...(ofEvent && { redemptions: ofEvent }), ...(outcome && { outcome }) };
      });
      const warnings = warningsOfPrices(events, result.results, deps.catalogue);
      return { status: 202, body: { ...result, results, ...(warnings.length > 0 && { warnings }) } };
    },
  }),
];

/** `body[3].lines`, `body.events[3].lines`: the events are counted, not the faults; a body without an index counts as one. */
function eventsWithFaults(faults: readonly { path: string }[]): number {
  return new Set(faults.map(({ path }) => /^body(?:\.events)?\[(\d+)\]/.exec(path)?.[1] ?? '')).size;
}

function allRejected({ results }: AcceptResult, indexed: boolean): AppError {
  return new AppError('INVALID_REQUEST', {
    public: 'No event could be accepted.',
    faults: results.map(({ reason = 'is not valid' }, index) => ({
      path: indexed ? `body[${index}]` : 'body',
      message: reason,
    })),
  });
}
