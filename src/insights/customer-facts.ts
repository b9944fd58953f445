/** One row a customer: what the figures count, and a text for each dimension. */
import type { Dimension } from './dimensions.ts';

export type FactTables = { buyers: string; standing: string; signals: string; rfm: string };

/** Segments that are told apart, the largest first; the others are `other`. */
const segmentsMax = 50;

/** Each dimension as SQL over `buyers b`, `standing s`, `signals g`, `rfm r`. */
const VALUES: Record<Dimension, string> = {
  channel: 'b.channel',
  tier: "coalesce(s.tier, 'none')",
  loyalty:
    "CASE WHEN coalesce(s.tier, 'none') <> 'none' OR coalesce(g.memberSince < b.knownUntil, false) THEN 'member' ELSE 'other' END",
  segment: "CASE WHEN s.segment IS NULL THEN 'none' WHEN k.segment IS NULL THEN 'other' ELSE s.segment END",
  rfm: "coalesce(r.rfm, 'newInPeriod')",
  cohort: "strftime(b.firstDay, '%Y-%m')",
  satisfaction:
    "CASE WHEN g.ratingBefore IS NULL THEN 'unanswered' WHEN g.ratingBefore < 3 THEN 'low' WHEN g.ratingBefore < 4 THEN 'middling' ELSE 'high' END",
  nps: "CASE WHEN g.npsBefore IS NULL THEN 'unanswered' WHEN g.npsBefore <= 6 THEN 'detractor' WHEN g.npsBefore <= 8 THEN 'passive' ELSE 'promoter' END",
  complaints:
    "CASE WHEN coalesce(g.complained, false) THEN 'complained' WHEN coalesce(g.gotInTouch, false) THEN 'gotInTouch' ELSE 'none' END",
  community: "CASE WHEN coalesce(g.tookPart, false) THEN 'tookPart' ELSE 'none' END",
  marketing: "['none', 'sent', 'opened', 'clicked'][1 + coalesce(g.messages, 0)]",
};

/**
 * Columns: firstDay, daysBefore, wasActive, daysIn, netIn, netAll, ratingIn, npsIn, and the dimensions asked for. Customers
 * who first bought after the period are not among the buyers, so that everybody here had bought by its end.
 */
export function customerFactsQuery(tables: FactTables, by: readonly Dimension[]): string {
  const values = by.map((dimension) => `${VALUES[dimension]} AS "${dimension}"`);
  const { buyers, standing, signals, rfm } = tables;
  return `
    WITH kept AS (
      SELECT segment FROM ${standing} WHERE segment IS NOT NULL
      GROUP BY segment ORDER BY count(*) DESC, segment LIMIT ${segmentsMax})
    SELECT b.customerId, b.firstDay, b.daysBefore, b.wasActive, b.daysIn, b.netIn, b.netAll, g.ratingIn, g.npsIn
      ${values.map((value) => `, ${value}`).join('')}
    FROM ${buyers} b
      LEFT JOIN ${standing} s USING (customerId)
      LEFT JOIN ${signals} g USING (customerId)
      LEFT JOIN ${rfm} r USING (customerId)
      LEFT JOIN kept k ON k.segment = s.segment`;
}
