/**
 * What stands for a customer, channel, campaign and place, as one look into Redis finds it together with the customer's record: its key,
 * and by what it is known to be the same when it is read again.
 */
import { createHash } from 'node:crypto';
import type { Decision } from '../domain/decision.ts';
import type { CustomerRecord } from '../features/record.ts';
import { once } from '../infra/once.ts';
import type { DecideRequest } from './decide.ts';
import type { DecidingDeps } from './deps.ts';
import type { ReadContacts } from './ledger/contact-ledger.ts';
import { loggedHead } from './standing-text.ts';
import { subjectIdOf } from './subject.ts';

/** For whom a decision stands, and where. */
export type StandingPlace = Pick<DecideRequest, 'subject' | 'channel' | 'campaign'> & { placement: string };

/** What stands, beside the customer's record, as one look into Redis found them. */
export type StandingRead = {
  key: string;
  /** null: nothing stands. */
  text: Buffer | null;
  /** Of the record (`record-codec.ts`); undefined: there is none. */
  stamp: Buffer | undefined;
  /** Decoded when it is first asked for. */
  record: () => CustomerRecord | undefined;
  contacts: () => ReadContacts;
};

/** Rejects when Redis is away. */
export function readStanding(
  place: StandingPlace,
  { keys, records, contacts }: Pick<DecidingDeps, 'keys' | 'records' | 'contacts'>,
): Promise<StandingRead> {
  const subjectId = subjectIdOf(place.subject);
  const key = standingKey(place, { keys });
  return records
    .readWith(subjectId, [key, keys.contacts(subjectId)])
    .then(({ stamp, record, others: [text = null, history = null] }) => ({
      key,
      text,
      stamp,
      record: once(record),
      // Where it still stands, nobody asks for them.
      contacts: () => contacts.readFrom(history),
    }));
}

/**
 * What tells whether a decision that was read before still stands, and the customer's record is the same: the text's first
 * bytes, which name its shape, whether it is logged, and the decision. What stands logged under an id is not written again.
 */
export type StandingMark = { head: Buffer; stamp: Buffer | undefined };

/** undefined: what was read is not this decision, logged. */
export function standingMark(
  { text, stamp }: StandingRead,
  { decisionId }: Decision,
): StandingMark | undefined {
  const head = text === null || decisionId === null ? undefined : loggedHead(text, decisionId);
  if (head === undefined) return undefined;
  // Copies: what was read is a part of all that came with it.
  return { head: Buffer.from(head), stamp: stamp && Buffer.from(stamp) };
}

/** The key under which a decision stands. */
export function standingKey(
  { subject, ...slot }: StandingPlace,
  { keys }: Pick<DecidingDeps, 'keys'>,
): string {
  return keys.standingDecision(subjectIdOf(subject), slotOf(slot));
}

type Slot = Omit<StandingPlace, 'subject'>;

/** The last one: a list, or an e-mail send, asks for the same for every customer. */
let lastSlot: (Slot & { name: string }) | undefined;

/** Names the channel, campaign and place; hashed, because the shop chooses the texts. */
function slotOf({ channel, campaign, placement }: Slot): string {
  if (lastSlot?.channel !== channel || lastSlot.campaign !== campaign || lastSlot.placement !== placement) {
    const text = JSON.stringify([channel, campaign ?? null, placement]);
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    lastSlot = { channel, campaign, placement, name };
  }
  return lastSlot.name;
}
