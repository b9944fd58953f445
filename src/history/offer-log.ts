/** What was decided on offers and what became of it, as the lake has it: customer by customer, in the order in which it was told. */
import { z } from 'zod';
import { Channel } from '../domain/channel.ts';
import { RedeemedOffer } from '../domain/event.ts';
import { OfferId } from '../domain/ids.ts';
import { Benefit, OfferOutcome } from '../domain/offer.ts';
import { guestSubject } from '../features/subject.ts';
import { type Lake, queryChunks } from './lake.ts';

/** An offer as it was made; a decision of an earlier build may lack what is optional. */
const MadeOffer = z.object({
  offerId: OfferId,
  benefit: Benefit,
  redeemableUntil: z.iso.datetime().optional(),
  heldSince: z.string().optional(),
  terms: z.object({ costWhenAcceptedMinor: z.number(), costWhenMadeMinor: z.number() }).optional(),
});
type MadeOffer = z.output<typeof MadeOffer>;

const Placements = z.array(z.object({ fallback: z.boolean(), offers: z.array(z.unknown()) }));
const Replaces = z.object({ decisionId: z.string(), offerIds: z.array(z.string()) });
const Outcome = z.object({
  decisionId: z.string(),
  offerId: z.string(),
  outcome: OfferOutcome,
  valueMinor: z.number().optional(),
  costMinor: z.number().optional(),
  toldAt: z.number().optional(),
});

/** `at` in milliseconds since 1970. */
export type LoggedOfferDecision = {
  kind: 'decision';
  at: number;
  decisionId: string;
  channel: Channel;
  campaign: string | undefined;
  /** Fallbacks apart. */
  made: MadeOffer[];
  replaces: z.output<typeof Replaces> | undefined;
};
export type LoggedOfferOutcome = { kind: 'outcome' } & Told & Omit<z.output<typeof Outcome>, 'toldAt'>;

/** `toldAt`: when it was told, in milliseconds since 1970; `at` of what an earlier build, or an import, has brought here. */
type Told = { at: number; toldAt: number };

/** A message that another tool has sent. */
export type LoggedMessage = {
  kind: 'sent';
  at: number;
  eventId: string;
  channel: Channel;
  campaign: string | undefined;
};

const RedeemingPurchase = z.object({
  orderId: z.string().nullable(),
  valueMinor: z.number(),
  redeemed: z.array(RedeemedOffer),
  toldAt: z.number().nullable(),
});

/** A purchase that names offers which it redeems. */
export type LoggedPurchase = {
  kind: 'purchase';
  eventId: string;
  orderId: string | undefined;
} & Told &
  Pick<z.output<typeof RedeemingPurchase>, 'valueMinor' | 'redeemed'>;

/** A guest for whom something had been decided has become this customer. */
export type LoggedMerge = { kind: 'merge'; at: number };

export type SubjectOfferLog = {
  subjectId: string;
  entries: (LoggedOfferDecision | LoggedOfferOutcome | LoggedMessage | LoggedPurchase | LoggedMerge)[];
};

type Row = [subjectId: string, at: number, id: string, text: string, kind: 0 | 1 | 2 | 3 | 4];

/**
 * Those about whom anything was decided, or to whom a message was sent at or after `sentSince` (milliseconds since 1970). What cannot be
 * read is left out.
 */
export async function* readOfferLog(lake: Lake, sentSince: number): AsyncGenerator<SubjectOfferLog> {
  const connection = await lake.connect();
  try {
    const subject = `coalesce("customerId", '${guestSubject('')}' || "sessionId")`;
    const entries = `
      -- The log may hold either twice.
      SELECT coalesce(d."customerId", o."customerId", '${guestSubject('')}' || d."sessionId") AS "subjectId", epoch_ms(min("decidedAt"))::DOUBLE AS "at", "decisionId" AS id,
        any_value(json_object('channel', channel, 'campaign', campaign, 'placements', json->'$.placements',
          'replaces', json->'$.replaces')::VARCHAR) AS text, 0 AS kind
      FROM ${lake.from('decisions')} d LEFT JOIN owners o ON d."customerId" IS NULL AND d."sessionId" = o."sessionId" GROUP BY ALL
      UNION ALL
      SELECT "customerId" AS "subjectId", epoch_ms("at")::DOUBLE AS "at", "sessionId" AS id, '' AS text, 4 AS kind FROM owners
      UNION ALL
      SELECT ${subject} AS "subjectId", epoch_ms(min("occurredAt"))::DOUBLE AS "at", "eventId" AS id, any_value(detail) AS text, 1 AS kind
      FROM ${lake.from('events')} WHERE type = 'offerOutcome' GROUP BY ALL
      UNION ALL
      SELECT ${subject} AS "subjectId", epoch_ms(min("occurredAt"))::DOUBLE AS "at", "eventId" AS id,
        json_object('channel', any_value(channel), 'campaign', json_extract_string(any_value(detail), '$.campaign'))::VARCHAR AS text, 2 AS kind
      FROM ${lake.from('events')} WHERE type = 'marketingContact' AND json_extract_string(detail, '$.outcome') = 'sent'
        AND "occurredAt" >= make_timestamp(${Math.floor(sentSince)} * 1000) GROUP BY "subjectId", "eventId"
      UNION ALL
      SELECT "subjectId", epoch_ms(min("at"))::DOUBLE AS "at", "eventId" AS id,
        json_object('orderId', any_value("orderId"), 'valueMinor', sum("valueMinor")::DOUBLE,
          'redeemed', any_value(detail)::JSON->'$.redeemed', 'toldAt', any_value(detail)::JSON->'$.toldAt')::VARCHAR AS text, 3 AS kind
      FROM (
        SELECT ${subject} AS "subjectId", "eventId", line, min("occurredAt") AS "at", any_value("orderId") AS "orderId",
          any_value(quantity * coalesce("unitPriceMinor", 0) - coalesce("discountMinor", 0)) AS "valueMinor", any_value(detail) AS detail
        FROM ${lake.from('events')} WHERE type = 'purchase' AND json_exists(detail, '$.redeemed') GROUP BY "subjectId", "eventId", line)
      GROUP BY "subjectId", "eventId"`;
    const told = `CASE WHEN kind IN (1, 3) THEN coalesce((text->>'$.toldAt')::DOUBLE, "at") ELSE "at" END`;
    // By the log-ins alone: a shop may send both ids with every event, and on a shared device that makes the session nobody's.
    const owners = `
      owners AS (SELECT "sessionId", arg_min("customerId", "mergedAt") AS "customerId", min("mergedAt") AS "at"
        FROM ${lake.from('merges')} SEMI JOIN (SELECT "sessionId" FROM ${lake.from('decisions')} WHERE "customerId" IS NULL) USING ("sessionId")
        GROUP BY "sessionId")`;
    const query = `WITH ${owners} SELECT * FROM (${entries}) ORDER BY "subjectId", ${told}, kind, id`;
    let log: SubjectOfferLog | undefined;
    for await (const chunk of queryChunks(connection, query))
      for (const [subjectId, at, id, text, kind] of chunk.getRows() as Row[]) {
        if (log !== undefined && log.subjectId !== subjectId) {
          yield log;
          log = undefined;
        }
        log ??= { subjectId, entries: [] };
        const entry = entryOf[kind](at, id, text);
        if (entry !== undefined) log.entries.push(entry);
      }
    if (log !== undefined) yield log;
  } finally {
    connection.closeSync();
  }
}

function decisionOf(at: number, decisionId: string, text: string): LoggedOfferDecision | undefined {
  const { channel, campaign, placements, replaces } = JSON.parse(text);
  const places = Placements.safeParse(placements).data;
  const on = Channel.safeParse(channel).data;
  if (places === undefined || on === undefined) return undefined;
  const made = places.filter(({ fallback }) => !fallback).flatMap(({ offers }) => offers);
  return {
    kind: 'decision',
    at,
    decisionId,
    channel: on,
    campaign: campaign ?? undefined,
    made: made.flatMap((offer) => MadeOffer.safeParse(offer).data ?? []),
    replaces: Replaces.safeParse(replaces).data,
  };
}

function messageOf(at: number, eventId: string, text: string): LoggedMessage | undefined {
  const { channel, campaign } = JSON.parse(text);
  const on = Channel.safeParse(channel).data;
  return on && { kind: 'sent', at, eventId, channel: on, campaign: campaign ?? undefined };
}

function purchaseOf(at: number, eventId: string, text: string): LoggedPurchase | undefined {
  const purchase = RedeemingPurchase.safeParse(JSON.parse(text)).data;
  if (purchase === undefined) return undefined;
  const { orderId, toldAt, ...rest } = purchase;
  return { ...rest, kind: 'purchase', at, toldAt: toldAt ?? at, eventId, orderId: orderId ?? undefined };
}

function outcomeOf(at: number, _eventId: string, text: string | null): LoggedOfferOutcome | undefined {
  const outcome = Outcome.safeParse(JSON.parse(text ?? 'null')).data;
  return outcome && { ...outcome, kind: 'outcome', at, toldAt: outcome.toldAt ?? at };
}

function mergeOf(at: number): LoggedMerge {
  return { kind: 'merge', at };
}

/** By the kind of the row. */
const entryOf = [decisionOf, outcomeOf, messageOf, purchaseOf, mergeOf] as const;
