/** Cells of CSV (RFC 4180) that a spreadsheet may be trusted with. */

/**
 * What a spreadsheet would work out as a formula: ids, names and segments are text of others. A number with its sign, such as
 * a telephone number or a loss, does no harm. What begins as a guarded one does is guarded, too, so that it can be told from that.
 */
const formula = /^'*(?![+-]?\d+(?:\.\d+)?$)[=+\-@\t\r\n＝＋－＠]/;

/** Quoted where it must be; a formula gets an apostrophe before it. `isText`: false for numbers, which are never formulas. */
export function csvCell(plain: string, isText = true): string {
  const text = isText && formula.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What `csvCell` was given. */
export function plainCell(cell: string): string {
  const text = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
  return text.startsWith("'") && formula.test(text.slice(1)) ? text.slice(1) : text;
}
