/** Figures as cells of a table for a terminal. */

export const count = new Intl.NumberFormat('en').format;

/** A figure with the ends of its interval, where it has one. */
export function withBounds(
  { value, low, high }: { value: number | null; low: number | null; high: number | null },
  format: (value: number | null) => string,
): string {
  if (low === null) return format(value);
  return `${format(value)} (${format(low)} … ${format(high)})`;
}

/** A difference of shares in percentage points. */
export function points(difference: number | null): string {
  return difference === null ? '–' : `${difference > 0 ? '+' : ''}${(100 * difference).toFixed(1)}`;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)} %`;
}

/** Minor units as an amount with the currency's own number of decimals. */
export function moneyFormat(currency: string): (minor: number | null) => string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const { maximumFractionDigits = 2 } = format.resolvedOptions();
  return (minor) => (minor === null ? '–' : format.format(minor / 10 ** maximumFractionDigits));
}

/** The first column to the left, the others to the right. A row of one cell is a heading: it widens nothing. */
export function aligned(rows: readonly string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    if (row.length === 1) continue;
    for (const [c, cell] of row.entries()) widths[c] = Math.max(widths[c] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
