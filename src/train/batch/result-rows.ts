/** Decisions as the lines of a campaign's list, and as rows of the lake. */
import type { BatchAbout, BatchCounts } from '../../domain/batch.ts';
import { addCounts, noBatchCounts } from '../../domain/batch.ts';
import type { DecidedOffer } from '../../domain/decision.ts';
import type { DecisionRow } from '../../history/write-entries.ts';
import { csvCell } from '../../infra/csv.ts';
import type { DecidedCustomer } from './batch-deciding.ts';

export type DecidedRows = {
  /** Lines of the result, each ended. */
  lines: string;
  decisions: DecisionRow[];
  counts: BatchCounts;
};

export function noRows(): DecidedRows {
  return { lines: '', decisions: [], counts: structuredClone(noBatchCounts) };
}

/** Those of customers who come after, into `rows`. */
export function addRows(rows: DecidedRows, { lines, decisions, counts }: DecidedRows): void {
  rows.lines += lines;
  for (const decision of decisions) rows.decisions.push(decision);
  rows.counts = addCounts(rows.counts, counts);
}

export function rowsOf(
  decided: readonly DecidedCustomer[],
  request: Pick<BatchAbout, 'format' | 'includeNothing'>,
): DecidedRows {
  const counts: BatchCounts = structuredClone(noBatchCounts);
  let lines = '';
  const decisions: DecidedRows['decisions'] = [];
  for (const { customerId, decision, json } of decided) {
    const place = decision.placements[0];
    const made = place?.offers ?? [];
    counts.decided++;
    if (place?.fallback) counts.fallbacks++;
    else if (made.length > 0) counts.offers++;
    for (const { offerId } of made) counts.byOffer[offerId] = (counts.byOffer[offerId] ?? 0) + 1;
    for (const { reasonCode } of decision.excluded)
      counts.byReason[reasonCode] = (counts.byReason[reasonCode] ?? 0) + 1;
    decisions.push({
      decisionId: decision.decisionId,
      customerId,
      decidedAt: Date.parse(decision.decidedAt),
      channel: decision.channel,
      campaign: decision.campaign ?? null,
      json,
    });
    if (made.length === 0 && !request.includeNothing) continue;
    const about = { customerId, decisionId: decision.decisionId, currency: decision.currency };
    lines +=
      request.format === 'csv'
        ? csvLines(about, made, place?.fallback ?? false)
        : `${JSON.stringify({ ...about, fallback: place?.fallback ?? false, offers: made.map(shown) })}\n`;
  }
  return { lines, decisions, counts };
}

function shown({
  offerId,
  offerVersion,
  name,
  benefit,
  expectedValue,
  content,
  redeemableUntil,
}: DecidedOffer) {
  return {
    offerId,
    offerVersion,
    name,
    benefit,
    expectedValue,
    ...(redeemableUntil !== undefined && { redeemableUntil }),
    content,
  };
}

/** A line an offer; one with empty fields for a customer without any. */
function csvLines(
  about: { customerId: string; decisionId: string; currency: string },
  made: readonly DecidedOffer[],
  fallback: boolean,
): string {
  const lines = (made.length > 0 ? made : [undefined]).map((offer) => [
    about.customerId,
    about.decisionId,
    offer?.offerId ?? '',
    offer?.offerVersion ?? '',
    offer?.name ?? '',
    offer === undefined ? '' : String(Math.round(offer.expectedValue * 100) / 100),
    about.currency,
    offer?.redeemableUntil ?? '',
    String(fallback),
    offer === undefined ? '' : JSON.stringify(offer.content),
  ]);
  return lines.map((cells) => `${cells.map((cell) => csvCell(cell)).join(',')}\r\n`).join('');
}
