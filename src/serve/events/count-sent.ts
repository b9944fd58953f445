/** Messages that other tools tell to have sent count for the caps and the gap, like those that were decided here. */
import { sentContact } from '../../decide/ledger/sent-contact.ts';
import type { ParsedEventInput } from '../../domain/event.ts';
import { subjectOf } from '../../features/subject.ts';
import type { ContactHistory } from '../../offers/contact-history.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';

type Sent = { input: Extract<ParsedEventInput, { type: 'marketingContact' }>; eventId: string };

/** Of those that were accepted: a repeat has been counted. */
export async function countSent(
  inputs: readonly ParsedEventInput[],
  results: readonly EventResult[],
  deps: Pick<Deps, 'contacts' | 'market' | 'now' | 'log'>,
): Promise<void> {
  const bySubject = new Map<string, Sent[]>();
  for (const [index, input] of inputs.entries()) {
    const result = results[index];
    if (input.type !== 'marketingContact' || input.outcome !== 'sent' || result?.status !== 'accepted')
      continue;
    const subjectId = subjectOf(input);
    const sent = bySubject.get(subjectId) ?? [];
    if (sent.length === 0) bySubject.set(subjectId, sent);
    sent.push({ input, eventId: result.eventId });
  }
  await Promise.all([...bySubject].map(([subjectId, sent]) => countAll(subjectId, sent, deps)));
}

/** Of one customer in one go: each for itself, they would write over each other. */
async function countAll(
  subjectId: string,
  sent: readonly Sent[],
  { contacts, market, now, log }: Pick<Deps, 'contacts' | 'market' | 'now' | 'log'>,
): Promise<void> {
  const at = now();
  const { contactPolicy } = market.known();
  try {
    await contacts.update(
      subjectId,
      (history) => {
        let counted: ContactHistory = history;
        for (const { input, eventId } of sent) {
          const { channel, campaign, occurredAt = at } = input;
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
