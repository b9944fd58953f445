/**
 * The outline of a logged decision, as Redis keeps it (`kept-seconds.ts`): what an outcome that is reported needs of it. All else is in the
 * event stream until the lake has it. As short as may be: Redis packs values of up to 64 bytes without an entry of their own each,
 * and the outline of one offer takes some fifty. Layout, varints where nothing else is said:
 *
 *   mark
 *   3 · channel + (0 nobody's, 1 a customer's, 2 a guest's), and then the id as text
 *   decidedAt, from the time that the decision's id tells, or from 1970 (`packed-spans.ts`)
 *   0, or 1 and the id of the stream's entry: milliseconds from decidedAt, sequence
 *   places, and for each its number of offers, and of each offer
 *     flags, id as text, version (6 bytes, or text), benefit, and as the flags tell: redeemableUntil from decidedAt,
 *     the decision that holds it, what its acceptance was expected to cost in whole minor units
 */
import { CHANNELS } from '../domain/channel.ts';
import type { DecidedOffer, ValueTerms } from '../domain/decision.ts';
import { timeOfDecision } from '../domain/decision-time.ts';
import type { CustomerId, OfferId, SessionId } from '../domain/ids.ts';
import { Benefit } from '../domain/offer.ts';
import { streamIdParts } from '../domain/stream-id.ts';
import { BinaryReader, BinaryWriter } from '../features/binary.ts';
import { IdReader, IdWriter } from '../features/packed-ids.ts';
import type { LoggedDecision } from './decision-log.ts';
import { packedSpanLua, readSpan, writeSpan } from './packed-spans.ts';

type Costs = Pick<ValueTerms, 'costWhenAcceptedMinor' | 'costWhenMadeMinor'>;

export type OutlinedOffer = Pick<
  DecidedOffer,
  'offerId' | 'offerVersion' | 'benefit' | 'redeemableUntil' | 'heldSince'
> & { terms?: Costs | undefined };

/** Of which a `LoggedDecision` is one, with more. */
export type DecisionOutline = Pick<
  LoggedDecision,
  'decisionId' | 'customerId' | 'sessionId' | 'channel' | 'decidedAt'
> & {
  /** `fallback`: the offer stands in where nothing was worth making. */
  placements: readonly { offers: readonly OutlinedOffer[]; fallback?: boolean }[];
};

/** Names the layout; what begins otherwise was written by another version. */
const mark = 1;

const nobody = 0;
const ofCustomer = 1;
const ofGuest = 2;

const versionIsText = 1;
const isRedeemable = 2;
const isHeld = 4;
const hasCost = 8;
const standsIn = 16;

const version = /^[0-9a-f]{12}$/;
const versionBytes = 6;

/** `entryId`: in the event stream; undefined: it was never there. */
export function packOutline(decision: DecisionOutline, entryId: string | undefined): Buffer {
  const writer = new BinaryWriter();
  writeAbout(writer, decision);
  writer.varint(entryId === undefined ? 0 : 1);
  if (entryId !== undefined) {
    const [ms, sequence] = streamIdParts(entryId);
    writeSpan(writer, ms - Date.parse(decision.decidedAt));
    writer.varint(sequence);
  }
  writePlacements(writer, decision);
  return writer.finish();
}

/** The same without the id of the entry, for the script that appends it: what comes before it, and what after (`entryIdLua`). */
export function outlineAround(decision: DecisionOutline): [before: Buffer, after: Buffer] {
  const [before, after] = [new BinaryWriter(), new BinaryWriter()];
  writeAbout(before, decision);
  before.varint(1);
  writePlacements(after, decision);
  return [before.finish(), after.finish()];
}

/** Lua: `packedEntryId(id, decidedAt)`, what goes between the two; `decidedAt` in milliseconds since 1970. */
export const entryIdLua = `${packedSpanLua}
local function packedEntryId(id, decidedAt)
  local ms, sequence = string.match(id, '^(%d+)%-(%d+)$')
  return packedSpan(tonumber(ms) - tonumber(decidedAt)) .. packedVarint(tonumber(sequence))
end
`;

function writeAbout(writer: BinaryWriter, decision: DecisionOutline): void {
  const { customerId, sessionId } = decision;
  writer.varint(mark);
  const kind = customerId !== undefined ? ofCustomer : sessionId !== undefined ? ofGuest : nobody;
  writer.varint(3 * CHANNELS.indexOf(decision.channel) + kind);
  if (kind !== nobody) writer.text(customerId ?? sessionId ?? '');
  writeSpan(writer, Date.parse(decision.decidedAt) - (timeOfDecision(decision.decisionId) ?? 0));
}

function writePlacements(
  writer: BinaryWriter,
  { placements, decidedAt }: Pick<DecisionOutline, 'placements' | 'decidedAt'>,
): void {
  writer.varint(placements.length);
  for (const { offers, fallback = false } of placements) {
    writer.varint(offers.length);
    for (const offer of offers) writeOffer(writer, offer, fallback, Date.parse(decidedAt));
  }
}

function writeOffer(
  writer: BinaryWriter,
  offer: OutlinedOffer,
  isFallback: boolean,
  decidedAt: number,
): void {
  const { offerId, offerVersion, benefit, redeemableUntil, heldSince, terms } = offer;
  const isShort = version.test(offerVersion);
  writer.varint(
    (isShort ? 0 : versionIsText) +
      (redeemableUntil === undefined ? 0 : isRedeemable) +
      (heldSince === undefined ? 0 : isHeld) +
      (terms === undefined ? 0 : hasCost) +
      (isFallback ? standsIn : 0),
  );
  writer.text(offerId);
  if (isShort) writer.bytes(Buffer.from(offerVersion, 'hex'));
  else writer.text(offerVersion);
  writeBenefit(writer, benefit);
  if (redeemableUntil !== undefined) writeSpan(writer, Date.parse(redeemableUntil) - decidedAt);
  if (heldSince !== undefined) new IdWriter().write(writer, heldSince);
  if (terms !== undefined) writer.varint(outlinedCost(terms));
}

/** An imported order may be worth any sum, and a discount on it cost as much: past what a varint holds, nothing depends on it. */
function outlinedCost({ costWhenAcceptedMinor, costWhenMadeMinor }: Costs): number {
  return Math.min(Math.round(costWhenAcceptedMinor + costWhenMadeMinor), Number.MAX_SAFE_INTEGER);
}

/** undefined: damaged, or of another version. */
export function unpackOutline(
  bytes: Buffer,
  decisionId: string,
): { outline: DecisionOutline; entryId: string | undefined } | undefined {
  try {
    const reader = new BinaryReader(bytes, 0);
    if (reader.varint() !== mark) return undefined;
    const found = readOutline(reader, decisionId);
    return reader.atEnd ? found : undefined;
  } catch (err) {
    // Nor is a date beyond all dates one.
    if (err instanceof RangeError || err instanceof SyntaxError) return undefined;
    throw err;
  }
}

function readOutline(reader: BinaryReader, decisionId: string) {
  const about = reader.varint();
  const kind = about % 3;
  const channel = CHANNELS[Math.floor(about / 3)];
  if (channel === undefined) throw new RangeError('a channel that there is not');
  const id = kind === nobody ? '' : reader.text();
  const decidedAt = (timeOfDecision(decisionId) ?? 0) + readSpan(reader);
  const entryId = reader.varint() === 0 ? undefined : `${decidedAt + readSpan(reader)}-${reader.varint()}`;
  const placements: DecisionOutline['placements'][number][] = [];
  for (let places = reader.varint(); places > 0; places--) {
    const offers: OutlinedOffer[] = [];
    let fallback = false;
    for (let n = reader.varint(); n > 0; n--) {
      const { offer, isFallback } = readOffer(reader, decidedAt);
      offers.push(offer);
      fallback ||= isFallback;
    }
    placements.push({ offers, ...(fallback && { fallback }) });
  }
  const outline: DecisionOutline = {
    decisionId,
    ...(kind === ofCustomer && { customerId: id as CustomerId }),
    ...(kind === ofGuest && { sessionId: id as SessionId }),
    channel,
    decidedAt: new Date(decidedAt).toISOString(),
    placements,
  };
  return { outline, entryId };
}

function readOffer(reader: BinaryReader, decidedAt: number): { offer: OutlinedOffer; isFallback: boolean } {
  const flags = reader.varint();
  const offer: OutlinedOffer = {
    offerId: reader.text() as OfferId,
    offerVersion: flags & versionIsText ? reader.text() : reader.hex(versionBytes),
    benefit: readBenefit(reader),
    ...(flags & isRedeemable && { redeemableUntil: new Date(decidedAt + readSpan(reader)).toISOString() }),
    ...(flags & isHeld && { heldSince: new IdReader().read(reader) }),
    ...(flags & hasCost && { terms: { costWhenAcceptedMinor: reader.varint(), costWhenMadeMinor: 0 } }),
  };
  return { offer, isFallback: (flags & standsIn) !== 0 };
}

/**
 * Benefits of whole numbers alone: their kind, and their fields by what they are named. Part of the format: append, and do not
 * reorder. Others, as of another kind or with a text in them, are JSON.
 */
const KINDS = [
  'percentOff',
  'amountOff',
  'freeDelivery',
  'bundle',
  'gift',
  'loyaltyPoints',
  'pointsMultiplier',
  'earlyAccess',
  'communityInvitation',
  'content',
] as const satisfies readonly Benefit['kind'][];
const FIELDS = ['percent', 'maxMinor', 'amountMinor', 'costMinor', 'points', 'factor', 'maxPoints'];
const fieldsMax = 4;

/** 0 and JSON, or 1 + fields + fieldsMax · kind, and each field's name and number. */
function writeBenefit(writer: BinaryWriter, benefit: Benefit): void {
  const fields = Object.entries(benefit).filter(([name, value]) => name !== 'kind' && value !== undefined);
  const kind = (KINDS as readonly string[]).indexOf(benefit.kind);
  const isPlain = fields.every(
    ([name, value]) => FIELDS.includes(name) && Number.isSafeInteger(value) && (value as number) >= 0,
  );
  if (kind === -1 || fields.length >= fieldsMax || !isPlain) {
    writer.varint(0);
    writer.text(JSON.stringify(benefit));
    return;
  }
  writer.varint(1 + fields.length + fieldsMax * kind);
  for (const [name, value] of fields) {
    writer.varint(FIELDS.indexOf(name));
    writer.varint(value as number);
  }
}

function readBenefit(reader: BinaryReader): Benefit {
  const token = reader.varint();
  const value = token === 0 ? JSON.parse(reader.text()) : readPlainBenefit(reader, token - 1);
  const benefit = Benefit.safeParse(value).data;
  if (benefit === undefined) throw new RangeError('a benefit that there is not');
  return benefit;
}

function readPlainBenefit(reader: BinaryReader, token: number): Record<string, unknown> {
  const benefit: Record<string, unknown> = { kind: KINDS[Math.floor(token / fieldsMax)] };
  for (let n = token % fieldsMax; n > 0; n--) benefit[FIELDS[reader.varint()] ?? ''] = reader.varint();
  return benefit;
}
