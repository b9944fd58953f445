/** Messages that other tools tell to have sent count for the caps and the gap, like those that were decided here. */
import { sentContact } from '../../decide/ledger/sent-contact.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { subjectOf } from '../../features/subject.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';

type Sent = Extract<ParsedEventInput, { type: 'marketingContact' }>;

/** Of those that were accepted: a repeat has been counted. */
export async function countSent(
  inputs: readonly ParsedEventInput[],
  results: readonly EventResult[],
  deps: Pick<Deps, 'contacts' | 'market' | 'now' | 'log'>,
): Promise<void> {
  const sent = inputs.flatMap((input, index) => {
    const result = results[index];
    return input.type === 'marketingContact' && input.outcome === 'sent' && result?.status === 'accepted'
      ? [{ input, eventId: result.eventId }]
      : [];
  });
  await Promise.all(sent.map(({ input, eventId }) => countOne(input, eventId, deps)));
}

async function countOne(
  input: Sent,
  eventId: string,
  { contacts, market, now, log }: Pick<Deps, 'contacts' | 'market' | 'now' | 'log'>,
): Promise<void> {
  const at = now();
  const { channel, campaign, occurredAt = at } = input;
  const message = { eventId, channel, campaign, at: occurredAt };
  const { contactPolicy } = market.known();
  try {
    await contacts.update(
      subjectOf(input),
      (history) => {
        const contact = sentContact(message, history, contactPolicy, at);
        return contact === undefined ? history : [...history, contact];
      },
      at,
    );
  } catch (err) {
    // The event has been accepted, and the lake will have it: `offers rebuild-ledgers` counts it from there.
    log.error({ event: 'contact.uncounted', err }, 'a message that was sent does not count for the caps');
  }
}
