/** Finds a source's columns in a file, by the names that they go by. */
import { UsageError } from '../../domain/errors.ts';
import type { InputFile } from './input-file.ts';
import type { ColumnNames, Source } from './preset.ts';

/** Source's column → the file's own name for it. */
export type FoundColumns = ReadonlyMap<string, string>;

export type MatchedFile<S = Source> = { file: InputFile; source: S; columns: FoundColumns };

type Matchable = { name: string; columns: ColumnNames; optional?: ColumnNames };

/** Case, spaces and punctuation differ between exports of the same thing. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '') || name;
}

function findColumns(
  wanted: ColumnNames,
  present: readonly string[],
): { found: Map<string, string>; missing: string[] } {
  const byPlainName = new Map<string, string>();
  for (const name of present) if (!byPlainName.has(plain(name))) byPlainName.set(plain(name), name);
  const find = (name: string) => (present.includes(name) ? name : byPlainName.get(plain(name)));
  const found = new Map<string, string>();
  const missing: string[] = [];
  for (const [column, names] of Object.entries(wanted)) {
    const name = names.map(find).find((hit) => hit !== undefined);
    if (name === undefined) missing.push(column);
    else found.set(column, name);
  }
  return { found, missing };
}

/** Of two columns with the same name, which one is meant cannot be told. */
function refuseRepeated(file: InputFile, columns: FoundColumns): void {
  for (const name of columns.values())
    if (file.columns.indexOf(name) !== file.columns.lastIndexOf(name))
      throw new UsageError(
        `${file.path} has the column ${quoted(name)} more than once. Rename or remove one, so that it is clear which is meant.`,
      );
}

const maxColumnsNamed = 60;

/** For messages, which a file that is no table must not flood. */
function quoted(name: string): string {
  return `"${name.length > 100 ? `${name.slice(0, 100)}…` : name}"`;
}

/** Tells which of a preset's sources a file is, by its columns. An unknown file is a UsageError that names what lacks. */
export function matchFile<S extends Matchable>(
  preset: { name: string; sources: readonly S[] },
  file: InputFile,
  hint = '',
): MatchedFile<S> {
  // An NDJSON file without a line has no columns: nothing to read, nothing to complain of.
  const empty = file.format === 'ndjson' && file.columns.length === 0;
  const attempts = preset.sources.map((source) => ({
    source,
    ...findColumns(source.columns, file.columns),
  }));
  const match = attempts.find(({ missing }) => missing.length === 0 || empty);
  if (match !== undefined) {
    const optional = findColumns(match.source.optional ?? {}, file.columns);
    const columns = new Map([...match.found, ...optional.found]);
    refuseRepeated(file, columns);
    return { file, source: match.source, columns };
  }
  const likeliest = attempts.reduce((best, attempt) =>
    attempt.missing.length / Object.keys(attempt.source.columns).length <
    best.missing.length / Object.keys(best.source.columns).length
      ? attempt
      : best,
  );
  const lacking = likeliest.missing.map((column) => {
    const names = likeliest.source.columns[column]!;
    return `  ${column}: ${names.map((name) => `"${name}"`).join(' or ')}`;
  });
  throw new UsageError(
    `${file.path} lacks columns that the preset ${preset.name} needs (${likeliest.source.name}):\n${lacking.join('\n')}\n` +
      `The file has: ${file.columns.slice(0, maxColumnsNamed).map(quoted).join(', ') || 'none'}${file.columns.length > maxColumnsNamed ? ' …' : ''}.${hint === '' ? '' : `\n${hint}`}`,
  );
}
