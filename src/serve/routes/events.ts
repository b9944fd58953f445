/** What happened in the shop: the one way in for purchases, returns, views and all the rest. */
import { z } from 'zod';
import { EventInput } from '../../domain/event.ts';
import { acceptEvents } from '../events/accept-events.ts';
import { defineRoute } from '../route.ts';

export const eventsMax = 1000;

const Event = EventInput.meta({ id: 'Event' });
const many = z.array(Event).min(1).max(eventsMax);
const EventsBody = z.union([Event, many, z.strictObject({ events: many })]);

export const EventsAnswer = z
  .object({
    accepted: z.int(),
    /** Dropped: an event of the same eventId had been accepted before. */
    duplicates: z.int(),
    /** One for each event, in the order in which they were sent. */
    results: z.array(z.object({ eventId: z.string(), status: z.enum(['accepted', 'duplicate']) })),
  })
  .meta({ id: 'EventsAccepted' });

export const eventRoutes = [
  defineRoute({
    method: 'POST',
    path: '/events',
    summary: `One event, or up to ${eventsMax}`,
    description:
      'The body is one event, an array of them, or `{"events": […]}`. 202 means that every one is in the durable log and ' +
      'in the record of its customer. All or nothing: where one event is not valid, none is accepted and every fault is ' +
      'named with its index. An event with an `eventId` may be sent again at will: the repeat is dropped.',
    tags: ['events'],
    body: EventsBody,
    responses: { 202: EventsAnswer },
    problems: [413, 415, 429, 503],
    onInvalid: (faults, deps) => deps.metrics.events.inc({ outcome: 'rejected' }, eventsWithFaults(faults)),
    handler: async ({ body }, deps) => {
      const events = Array.isArray(body) ? body : 'events' in body ? body.events : [body];
      return { status: 202, body: await acceptEvents(events, deps) };
    },
  }),
];

/** `body[3].lines`, `body.events[3].lines`: the events are counted, not the faults; a body without an index counts as one. */
function eventsWithFaults(faults: readonly { path: string }[]): number {
  return new Set(faults.map(({ path }) => /^body(?:\.events)?\[(\d+)\]/.exec(path)?.[1] ?? '')).size;
}
