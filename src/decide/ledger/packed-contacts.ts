/**
 * A customer's contacts as few bytes, for each customer to whom anything was ever offered has them for a year: a quarter of
 * what JSON would take. Layout: the mark, the shapes of the ids that follow (`features/packed-ids.ts`), how many contacts there
 * are, and of each
 *
 *   decision, offer   ids
 *   flags             varint: how its occasion is told, state, takes something off a price, channel
 *   occasion          0: it is the decision's own id; 1: its name follows, and the time after the dot is the contact's; 2: all of it
 *                     follows; 3: as 1, and the name is what `occasionName` makes, as eight bytes
 *   at                from the time that the decision's id tells, or from 1970
 *   redeemableUntil, stateAt, expiresAt   from `at`
 *
 * A message with an offer whose id has eight characters takes 44 bytes so: a string no longer than that Redis keeps in one
 * piece of memory. Before, under mark 1, a varint said how the occasion is told, and the flags followed it; nothing was told as
 * 3. Contacts live a year: as long that is read.
 */
import { CHANNELS } from '../../domain/channel.ts';
import { timeOfDecision } from '../../domain/decision-time.ts';
import { BinaryReader, BinaryWriter } from '../../features/binary.ts';
import { IdReader, IdWriter } from '../../features/packed-ids.ts';
import type { Contact, ContactHistory, ContactState } from '../../offers/contact-history.ts';
import { readSpan, writeSpan } from '../packed-spans.ts';

/** Names the layout; what begins otherwise was written by another version. */
const mark = 2;
const markBefore = 1;

const STATES = ['reserved', 'confirmed', 'redeemed', 'dismissed'] as const satisfies readonly ContactState[];

const ofDecision = 0;
const ofName = 1;
const asText = 2;
const ofHash = 3;
const kinds = 4;

/** Characters of base64url, six bits each, and the bytes that hold them. */
const hashLength = 10;
const hashBytes = 8;
const hashed = /^[\w-]{10}$/;

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
    const name = occasionId.endsWith(timed) ? occasionId.slice(0, -timed.length) : undefined;
    const kind = kindOf(name, occasionId === decisionId);
    const state = STATES.indexOf(contact.state) + STATES.length * (contact.discount ? 1 : 0);
    writer.varint(kind + kinds * (state + 2 * STATES.length * CHANNELS.indexOf(contact.channel)));
    if (kind === ofHash) writer.bytes(bytesOfHash(name ?? ''));
    else if (kind !== ofDecision) writer.text(name ?? occasionId);
    writeSpan(writer, at - (timeOfDecision(decisionId) ?? 0));
    writeSpan(writer, contact.redeemableUntil - at);
    writeSpan(writer, contact.stateAt - at);
    writeSpan(writer, contact.expiresAt - at);
  }
  return writer.finish();
}

function kindOf(name: string | undefined, isOfDecision: boolean): number {
  if (isOfDecision) return ofDecision;
  if (name === undefined) return asText;
  return hashed.test(name) ? ofHash : ofName;
}

/** Padded to whole bytes: without that the last four bits were lost. */
function bytesOfHash(name: string): Buffer {
  return Buffer.from(`${name}A`, 'base64url');
}

/** undefined: damaged, or of another version. */
export function unpackContacts(bytes: Buffer): Contact[] | undefined {
  try {
    const reader = new BinaryReader(bytes, 0);
    const found = reader.varint();
    if (found !== mark && found !== markBefore) return undefined;
    const contacts = readContacts(reader, found === markBefore);
    return reader.atEnd ? contacts : undefined;
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}

function readContacts(reader: BinaryReader, isBefore: boolean): Contact[] {
  const ids = new IdReader();
  ids.readShapes(reader);
  const contacts: Contact[] = [];
  for (let n = reader.varint(); n > 0; n--) {
    const decisionId = ids.read(reader);
    const offerId = ids.read(reader);
    const token = reader.varint();
    const kind = isBefore ? token : token % kinds;
    if (isBefore && kind > asText) throw new RangeError('an occasion that is told in no known way');
    const told = readOccasion(reader, kind, decisionId);
    const flags = isBefore ? reader.varint() : Math.floor(token / kinds);
    const channel = CHANNELS[Math.floor(flags / (2 * STATES.length))];
    const state = STATES[flags % STATES.length];
    if (channel === undefined || state === undefined) throw new RangeError('what no contact has');
    const at = (timeOfDecision(decisionId) ?? 0) + readSpan(reader);
    contacts.push({
      occasionId: kind === ofName || kind === ofHash ? told + timedEnd(at) : told,
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

function readOccasion(reader: BinaryReader, kind: number, decisionId: string): string {
  if (kind === ofDecision) return decisionId;
  if (kind !== ofHash) return reader.text();
  return Buffer.from(reader.bytes(hashBytes)).toString('base64url').slice(0, hashLength);
}

/** As `occasionOf` names what begins then. */
function timedEnd(at: number): string {
  return `.${at.toString(36)}`;
}
