/** One decision out of the lake, and what was told of it since. Its id tells when it was made, and so which parts to read. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { OfferOutcome } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import { createUnframer } from './decision-frames.ts';
import { type Lake, sqlText } from './lake.ts';

/** A decision reaches the stream within this long of its time, by whatever clocks. */
const slackMs = 2 * dayMs;

export type WantedDecision = {
  decisionId: string;
  /** As its id tells; milliseconds since 1970. */
  decidedAt: number;
};

/**
 * Domain `Decision`s, parsed as JSON, of those that the lake has: one question, over the time from the first to the last of
 * them.
 */
export async function findDecisions(
  lake: Lake,
  connection: DuckDBConnection,
  wanted: readonly WantedDecision[],
): Promise<unknown[]> {
  if (wanted.length === 0) return [];
  const [first, last] = wanted.reduce(
    ([earliest, latest], { decidedAt }) => [Math.min(earliest, decidedAt), Math.max(latest, decidedAt)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const [from, to] = [first - slackMs, last + slackMs];
  const reader = await connection.runAndReadAll(
    // Logged twice, it may be there with and without what explains it.
    `SELECT arg_max(json, length(json)) FROM ${lake.from('decisions', { streamFrom: from, streamTo: to })}
     WHERE "decisionId" IN (${wanted.map(({ decisionId }) => sqlText(decisionId)).join(', ')})
       AND "decidedAt" BETWEEN make_timestamp($1::BIGINT) AND make_timestamp($2::BIGINT)
     GROUP BY "decisionId"`,
    // Row groups whose times lie elsewhere are not read.
    [BigInt(from) * 1000n, BigInt(to) * 1000n],
  );
  return createUnframer(lake, connection).unframe(reader.getRows().map(([json]) => String(json)));
}

export type FoundOutcome = {
  eventId: string;
  offerId: string;
  outcome: OfferOutcome;
  /** Milliseconds since 1970. */
  at: number;
  valueMinor?: number;
  costMinor?: number;
};

/** What was reported of a decision, oldest first. `subject` as the decision has it. */
export async function findOutcomes(
  lake: Lake,
  connection: DuckDBConnection,
  decision: {
    decisionId: string;
    decidedAt: number;
    customerId?: string | undefined;
    sessionId?: string | undefined;
  },
): Promise<FoundOutcome[]> {
  const { decisionId, decidedAt, customerId, sessionId } = decision;
  const column = customerId === undefined ? '"sessionId"' : '"customerId"';
  const reader = await connection.runAndReadAll(
    `SELECT DISTINCT "eventId", epoch_ms("occurredAt")::DOUBLE AS "at", detail
     FROM ${lake.from('events', { streamFrom: decidedAt - slackMs })}
     WHERE type = 'offerOutcome' AND ${column} = $1 AND "occurredAt" >= make_timestamp($2::BIGINT)
       AND json_extract_string(detail, '$.decisionId') = $3
     ORDER BY "at", "eventId"`,
    [customerId ?? sessionId ?? '', BigInt(decidedAt - slackMs) * 1000n, decisionId],
  );
  return (reader.getRows() as [string, number, string][]).map(([eventId, at, detail]) => {
    const { offerId, outcome, valueMinor, costMinor } = JSON.parse(detail);
    return {
      eventId,
      offerId,
      outcome,
      at,
      ...(valueMinor !== undefined && { valueMinor }),
      ...(costMinor !== undefined && { costMinor }),
    };
  });
}
