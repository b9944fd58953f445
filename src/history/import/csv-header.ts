/** The first record of a CSV file: its columns, and how the file is written. */

export type CsvHeader = {
  columns: string[];
  delimiter: string;
  /** Physical lines before the first row of data. */
  lines: number;
};

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Reads the header from the beginning of a file's text. Undefined: there is nothing but white space. */
export function parseCsvHeader(start: string): CsvHeader | undefined {
  let text = start.replace(/^\uFEFF/, '');
  let lines = 0;
  // Excel's hint to itself: `sep=;` on a line of its own.
  const hint = /^sep=(.)\r?\n/i.exec(text);
  if (hint !== null) {
    text = text.slice(hint[0].length);
    lines += 1;
  }
  const blank = /^(?:[ \t]*(?:\r\n|\n|\r))*/.exec(text)?.[0] ?? '';
  lines += countLineBreaks(blank);
  text = text.slice(blank.length);
  if (text.trim() === '') return undefined;

  let best: CsvHeader | undefined;
  for (const delimiter of hint?.[1] !== undefined ? [hint[1]] : DELIMITERS) {
    const { fields, consumed } = firstRecord(text, delimiter);
    if (best === undefined || fields.length > best.columns.length)
      best = { columns: fields, delimiter, lines: lines + Math.max(1, countLineBreaks(consumed)) };
  }
  return best;
}

function countLineBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

function firstRecord(text: string, delimiter: string): { fields: string[]; consumed: string } {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  let at = 0;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field.trim() === '') {
      quoted = true;
      field = '';
    } else if (char === delimiter) {
      fields.push(field.trim());
      field = '';
    } else if (char === '\n' || char === '\r') {
      at += char === '\r' && text[at + 1] === '\n' ? 2 : 1;
      break;
    } else field += char;
  }
  fields.push(field.trim());
  return { fields, consumed: text.slice(0, at) };
}
