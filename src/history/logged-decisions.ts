/** Decisions on offers as the lake has them: what was done in each place, with the probability that it had there. */
import { z } from 'zod';
import type { Channel } from '../domain/channel.ts';
import type { Benefit } from '../domain/offer.ts';
import { type Lake, queryChunks } from './lake.ts';

/** What a place of a decision showed. */
export type LoggedAction = {
  decisionId: string;
  /** Milliseconds since 1970. */
  at: number;
  channel: Channel;
  placement: string;
  /**
   * undefined: nothing, or a fallback offer, which stands in for it. `heldSince`: the decision that made it, where she had it already.
   * `redeemableUntil`: ISO; undefined where it has no end.
   */
  offer:
    | {
        offerId: string;
        offerVersion: string;
        benefit: Benefit;
        heldSince?: string | undefined;
        redeemableUntil?: string | undefined;
      }
    | undefined;
  /** In (0, 1]. */
  propensity: number;
};

export type DecisionRange = {
  /** Only decisions from `since` (inclusive) until `before` (exclusive), milliseconds since 1970. */
  since: number;
  before: number;
  /** Share of the customers, by a hash of the id. */
  share: number;
};

/** Only what is read here: a decision of an earlier build may lack the rest. */
const Placements = z.array(
  z.object({
    placement: z.string(),
    offers: z.array(
      z.object({
        offerId: z.string(),
        offerVersion: z.string(),
        benefit: z.looseObject({ kind: z.string() }),
        heldSince: z.string().optional(),
        redeemableUntil: z.string().optional(),
      }),
    ),
    fallback: z.boolean(),
    loggingPropensity: z.number().gt(0).max(1).optional(),
  }),
);

/** First and last decision on a customer before `before`, and how many there are; undefined: none. */
export async function decisionSpan(
  lake: Lake,
  before: number,
): Promise<{ from: number; to: number; decisions: number } | undefined> {
  const found = await lake.connection.runAndReadAll(
    `SELECT epoch_ms(min("decidedAt"))::DOUBLE, epoch_ms(max("decidedAt"))::DOUBLE, count(DISTINCT "decisionId")::DOUBLE
     FROM ${lake.from('decisions')} WHERE ${decidedBefore(before)}`,
  );
  const [from, to, decisions] = found.getRows()[0] as [number | null, number | null, number];
  return from === null || to === null ? undefined : { from, to, decisions };
}

/**
 * By customer, each place of each decision once, in the order of time. `unusable`: places whose probability was not logged or
 * which cannot be read.
 */
export async function readLoggedActions(
  lake: Lake,
  { since, before, share }: DecisionRange,
): Promise<{ byCustomer: Map<string, LoggedAction[]>; unusable: number }> {
  const byCustomer = new Map<string, LoggedAction[]>();
  let unusable = 0;
  const connection = await lake.connect();
  try {
    // The same decision may have been logged twice.
    const query = `SELECT "customerId", "decisionId", epoch_ms("decidedAt")::DOUBLE, channel, (json->'$.placements')::VARCHAR
       FROM ${lake.from('decisions')}
       WHERE ${decidedBefore(before)} AND "decidedAt" >= make_timestamp(${Math.floor(since)} * 1000)
         AND hash("customerId") % 1000000 < ${Math.ceil(share * 1_000_000)}
       QUALIFY row_number() OVER (PARTITION BY "decisionId" ORDER BY "decidedAt") = 1
       ORDER BY "customerId", "decidedAt", "decisionId"`;
    for await (const chunk of queryChunks(connection, query))
      for (const row of chunk.getRows() as [string, string, number, Channel, string | null][]) {
        const [customerId, decisionId, at, channel, text] = row;
        const places = Placements.safeParse(JSON.parse(text ?? 'null'));
        if (!places.success) {
          unusable++;
          continue;
        }
        for (const { placement, offers, fallback, loggingPropensity } of places.data) {
          if (loggingPropensity === undefined) {
            unusable++;
            continue;
          }
          const first = fallback ? undefined : offers[0];
          const action: LoggedAction = {
            decisionId,
            at,
            channel,
            placement,
            offer: first && { ...first, benefit: first.benefit as Benefit },
            propensity: loggingPropensity,
          };
          const known = byCustomer.get(customerId);
          if (known === undefined) byCustomer.set(customerId, [action]);
          else known.push(action);
        }
      }
    return { byCustomer, unusable };
  } finally {
    connection.closeSync();
  }
}

function decidedBefore(before: number): string {
  return `"customerId" IS NOT NULL AND "decidedAt" < make_timestamp(${Math.floor(before)} * 1000)`;
}
