/** Decisions as the lines of a campaign's list, and as rows of the lake. */
import type { BatchAbout, BatchCounts } from '../../domain/batch.ts';
import { addCounts, noBatchCounts } from '../../domain/batch.ts';
import type { DecidedOffer, ExclusionReason } from '../../domain/decision.ts';
import { countReasons } from '../../domain/framed-decision.ts';
import type { DecisionRow } from '../../history/write-entries.ts';
import { csvCell } from '../../infra/csv.ts';
import { whyNotContacted } from '../../offers/why-not-contacted.ts';
import type { DecidedCustomer } from './listed-standing.ts';

/** The list as it is so far. */
export type Listed = {
  /** Lines of the result, each ended. */
  lines: string;
  counts: BatchCounts;
};

export type DecidedRows = Listed & {
  decisions: DecisionRow[];
  /** Those by which they are written: JSON by id. */
  frames: Map<string, string>;
};

export function noListed(): Listed {
  return { lines: '', counts: structuredClone(noBatchCounts) };
}

export function noRows(): DecidedRows {
  return { ...noListed(), decisions: [], frames: new Map() };
}

/** Those of customers who come after, into `listed`. */
export function addListed(listed: Listed, { lines, counts }: Listed): void {
  listed.lines += lines;
  listed.counts = addCounts(listed.counts, counts);
}

/** The same with their decisions. */
export function addRows(rows: DecidedRows, added: DecidedRows): void {
  addListed(rows, added);
  for (const decision of added.decisions) rows.decisions.push(decision);
  for (const [frameId, json] of added.frames) rows.frames.set(frameId, json);
}

export function rowsOf(
  decided: readonly DecidedCustomer[],
  request: Pick<BatchAbout, 'format' | 'includeNothing'>,
): DecidedRows {
  const counts: BatchCounts = structuredClone(noBatchCounts);
  const byReason = new Map<ExclusionReason, number>();
  let lines = '';
  const decisions: DecidedRows['decisions'] = [];
  const frames = new Map<string, string>();
  for (const { customerId, known, decision, reasons, inputs = reasons?.inputs, json } of decided) {
    const place = decision.placements[0];
    const made = place?.offers ?? [];
    const keptFrom = whyNotContacted(decision, inputs);
    counts.decided++;
    if (!known) counts.unknown++;
    if (keptFrom !== undefined) counts.notContactable++;
    if (place?.fallback) counts.fallbacks++;
    else if (made.length > 0) counts.offers++;
    for (const { offerId } of made) counts.byOffer[offerId] = (counts.byOffer[offerId] ?? 0) + 1;
    if (reasons !== undefined) {
      countReasons(reasons.excluded, byReason);
      frames.set(reasons.frame.frameId, reasons.frame.json);
    }
    if (json !== undefined)
      decisions.push({
        decisionId: decision.decisionId,
        customerId,
        decidedAt: Date.parse(decision.decidedAt),
        channel: decision.channel,
        campaign: decision.campaign ?? null,
        json,
      });
    if ((made.length === 0 || keptFrom !== undefined) && !request.includeNothing) continue;
    const about = { customerId, decisionId: decision.decisionId, currency: decision.currency };
    const fallback = place?.fallback ?? false;
    const contactable = keptFrom === undefined;
    const whether = contactable ? { contactable } : { contactable, reasonCode: keptFrom };
    lines +=
      request.format === 'csv'
        ? csvLines(about, made, fallback, keptFrom)
        : `${JSON.stringify({ ...about, fallback, ...whether, offers: made.map(shown) })}\n`;
  }
  counts.byReason = Object.fromEntries(byReason);
  return { lines, decisions, frames, counts };
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
  keptFrom: ExclusionReason | undefined,
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
    String(keptFrom === undefined),
    keptFrom ?? '',
  ]);
  return lines.map((cells) => `${cells.map((cell) => csvCell(cell)).join(',')}\r\n`).join('');
}
