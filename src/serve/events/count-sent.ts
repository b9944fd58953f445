/** Messages that other tools tell to have sent count for the caps and the gap, like those that were decided here. */
import { sentContact } from '../../decide/ledger/sent-contact.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { streamIdParts } from '../../domain/stream-id.ts';
import { readMarker } from '../../features/event-markers.ts';
import { subjectOf } from '../../features/subject.ts';
import type { ContactHistory } from '../../offers/contact-history.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';

type Sent = {
  input: Extract<ParsedEventInput, { type: 'marketingContact' }>;
  eventId: string;
  repeat: boolean;
};

type CountDeps = Pick<Deps, 'contacts' | 'market' | 'now' | 'log' | 'redis' | 'keys'>;

/** Repeats too: the process that took the first may have fallen before it counted. What is there already does not count again. */
export async function countSent(
  inputs: readonly ParsedEventInput[],
  results: readonly EventResult[],
  deps: CountDeps,
): Promise<void> {
  const bySubject = new Map<string, Sent[]>();
  for (const [index, input] of inputs.entries()) {
    const result = results[index];
    if (input.type !== 'marketingContact' || input.outcome !== 'sent') continue;
    if (result === undefined || result.status === 'rejected') continue;
    const subjectId = subjectOf(input);
    const sent = bySubject.get(subjectId) ?? [];
    if (sent.length === 0) bySubject.set(subjectId, sent);
    sent.push({ input, eventId: result.eventId, repeat: result.status === 'duplicate' });
  }
  await Promise.all([...bySubject].map(([subjectId, sent]) => countAll(subjectId, sent, deps)));
}

/** Of one customer in one go: each for itself, they would write over each other. */
async function countAll(subjectId: string, sent: readonly Sent[], deps: CountDeps): Promise<void> {
  const { contacts, market, now, log } = deps;
  const at = now();
  const { contactPolicy } = market.known();
  try {
    const times = await Promise.all(sent.map((one) => sentAt(subjectId, one, at, deps)));
    await contacts.update(
      subjectId,
      (history) => {
        let counted: ContactHistory = history;
        for (const [s, { input, eventId }] of sent.entries()) {
          const occurredAt = times[s];
          if (occurredAt === undefined) continue;
          const { channel, campaign } = input;
          const message = { eventId, channel, campaign, at: occurredAt };
          const contact = sentContact(message, counted, contactPolicy, at);
          if (contact !== undefined) counted = [...counted, contact];
        }
        return counted;
      },
      at,
    );
  } catch (err) {
    // The events have been accepted, and the lake will have them: `offers rebuild-ledgers` counts them from there.
    log.error(
      { event: 'contact.uncounted', err, messages: sent.length },
      'messages that were sent do not count for the caps',
    );
  }
}

/** Milliseconds since 1970. A repeat that does not say was sent when the first was told of; undefined: that is not known any more. */
async function sentAt(
  subjectId: string,
  { input, eventId, repeat }: Sent,
  now: number,
  { redis, keys }: CountDeps,
): Promise<number | undefined> {
  if (input.occurredAt !== undefined) return input.occurredAt;
  if (!repeat) return now;
  const first = await readMarker(subjectId, eventId, { redis, keys });
  return first === null ? undefined : streamIdParts(first)[0];
}
