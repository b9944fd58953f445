/** One decision out of the lake, and what was told of it since. Its id tells when it was made, and so which parts to read. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { OfferOutcome } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import type { Lake } from './lake.ts';

/** A decision reaches the stream within this long of its time, by whatever clocks. */
const slackMs = 2 * dayMs;

/** JSON of domain `Decision`; `decidedAt` in milliseconds since 1970. undefined: the lake does not have it. */
export async function findDecision(
  lake: Lake,
  connection: DuckDBConnection,
  decisionId: string,
  decidedAt: number,
): Promise<string | undefined> {
  const [from, to] = [decidedAt - slackMs, decidedAt + slackMs];
  const reader = await connection.runAndReadAll(
    `SELECT json FROM ${lake.from('decisions', { streamFrom: from, streamTo: to })}
     WHERE "decisionId" = $1 AND "decidedAt" BETWEEN make_timestamp($2::BIGINT) AND make_timestamp($3::BIGINT)
     -- Logged twice, it may be there with and without what explains it.
     ORDER BY length(json) DESC LIMIT 1`,
    // Row groups whose times lie elsewhere are not read.
    [decisionId, BigInt(from) * 1000n, BigInt(to) * 1000n],
  );
  const json = reader.getRows()[0]?.[0];
  return json === undefined ? undefined : String(json);
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
