/**
 * A customer's contacts as few bytes, for each customer to whom anything was ever offered has them for a year: a quarter of what JSON
 * would take. Layout: the mark, the shapes of the ids that follow (`features/packed-ids.ts`), how many contacts there are, and of each
 *
 *   decision, offer   ids
 *   occasion          0: the decision's own id; 1: its name follows, and the time after the dot is the contact's; 2: all of it follows
 *   flags             varint: state, takes something off a price, channel
 *   at                from the time that the decision's id tells, or from 1970
 *   redeemableUntil, stateAt, expiresAt   from `at`
 */
import { CHANNELS } from '../../domain/channel.ts';
import { timeOfDecision } from '../../domain/decision-time.ts';
import { BinaryReader, BinaryWriter } from '../../features/binary.ts';
import { IdReader, IdWriter } from '../../features/packed-ids.ts';
import type { Contact, ContactHistory, ContactState } from '../../offers/contact-history.ts';
import { readSpan, writeSpan } from '../packed-spans.ts';

/** Names the layout; what begins otherwise was written by another version. */
const mark = 1;

const STATES = ['reserved', 'confirmed', 'redeemed', 'dismissed'] as const satisfies readonly ContactState[];

const ofDecision = 0;
const ofName = 1;
const asText = 2;

export function packContacts(history: ContactHistory): Buffer {
  const ids = new IdWriter();
  for (const { decisionId, offerId } of history) {
    ids.meet(decisionId);
    ids.meet(offerId);
  }
  const writer = new BinaryWriter();
  writer.varint(mark);
  ids.writeShapes(writer);
  writer.varint(history.length);
  for (const contact of history) {
    const { decisionId, offerId, occasionId, at } = contact;
    ids.write(writer, decisionId);
    ids.write(writer, offerId);
    const timed = timedEnd(at);
    if (occasionId === decisionId) writer.varint(ofDecision);
    else {
      const isNamed = occasionId.endsWith(timed);
      writer.varint(isNamed ? ofName : asText);
      writer.text(isNamed ? occasionId.slice(0, -timed.length) : occasionId);
    }
    const state = STATES.indexOf(contact.state) + STATES.length * (contact.discount ? 1 : 0);
    writer.varint(state + 2 * STATES.length * CHANNELS.indexOf(contact.channel));
    writeSpan(writer, at - (timeOfDecision(decisionId) ?? 0));
    writeSpan(writer, contact.redeemableUntil - at);
    writeSpan(writer, contact.stateAt - at);
    writeSpan(writer, contact.expiresAt - at);
  }
  return writer.finish();
}

/** undefined: damaged, or of another version. */
export function unpackContacts(bytes: Buffer): Contact[] | undefined {
  try {
    const reader = new BinaryReader(bytes, 0);
    if (reader.varint() !== mark) return undefined;
    const contacts = readContacts(reader);
    return reader.atEnd ? contacts : undefined;
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}

function readContacts(reader: BinaryReader): Contact[] {
  const ids = new IdReader();
  ids.readShapes(reader);
  const contacts: Contact[] = [];
  for (let n = reader.varint(); n > 0; n--) {
    const decisionId = ids.read(reader);
    const offerId = ids.read(reader);
    const kind = reader.varint();
    const told = kind === ofDecision ? decisionId : reader.text();
    const flags = reader.varint();
    const channel = CHANNELS[Math.floor(flags / (2 * STATES.length))];
    const state = STATES[flags % STATES.length];
    if (channel === undefined || state === undefined || kind > asText)
      throw new RangeError('what no contact has');
    const at = (timeOfDecision(decisionId) ?? 0) + readSpan(reader);
    contacts.push({
      occasionId: kind === ofName ? told + timedEnd(at) : told,
      decisionId,
      offerId,
      channel,
      at,
      discount: Math.floor(flags / STATES.length) % 2 === 1,
      redeemableUntil: at + readSpan(reader),
      state,
      stateAt: at + readSpan(reader),
      expiresAt: at + readSpan(reader),
    });
  }
  return contacts;
}

/** As `occasionOf` names what begins then. */
function timedEnd(at: number): string {
  return `.${at.toString(36)}`;
}
