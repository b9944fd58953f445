/**
 * Names of the lake's parts: `stream-<first>-<last>.parquet` holds the entries of the event stream from one id to another. A
 * part that was written anew, without rows that were erased, has the same name and a generation: `<name>.g1.parquet`. The
 * greatest generation counts; the others are there for those who are in the middle of reading them.
 */
import { beforeAllIds, compareStreamIds } from '../domain/stream-id.ts';

export type StreamPart = { file: string; first: string; last: string };

export function streamPartName(first: string, last: string): string {
  return `stream-${first}-${last}`;
}

const generationPattern = /^(.+?)(?:\.g(\d{1,9}))?\.parquet$/;

/** The name without generation and ending, and the generation (0 = as first written); undefined: no part. */
export function generationOf(file: string): { base: string; generation: number } | undefined {
  const match = generationPattern.exec(file);
  return match === null ? undefined : { base: match[1]!, generation: Number(match[2] ?? 0) };
}

/** Name of the file, without its ending, that takes the place of this one. */
export function nextGeneration(file: string): string {
  const { base, generation } = generationOf(file) ?? { base: file, generation: 0 };
  return `${base}.g${generation + 1}`;
}

/** Those of the files of which there is a later generation. */
export function supersededParts(files: readonly string[]): string[] {
  const latest = new Map<string, number>();
  for (const file of files) {
    const part = generationOf(file);
    if (part !== undefined) latest.set(part.base, Math.max(latest.get(part.base) ?? 0, part.generation));
  }
  return files.filter((file) => {
    const part = generationOf(file);
    return part !== undefined && part.generation < (latest.get(part.base) ?? 0);
  });
}

/** Those of the files that came out of the event stream, each in its latest generation. */
export function streamPartsOf(files: readonly string[]): StreamPart[] {
  const superseded = new Set(supersededParts(files));
  return files.flatMap((file) => {
    if (superseded.has(file)) return [];
    const match = /^stream-(\d+-\d+)-(\d+-\d+)(?:\.g\d+)?\.parquet$/.exec(file);
    return match === null ? [] : [{ file, first: match[1]!, last: match[2]! }];
  });
}

/** Parts whose range lies within that of another: what they hold, the other holds too. */
export function partsWithinOthers(parts: readonly StreamPart[]): StreamPart[] {
  const widestFirst = [...parts].sort(
    (a, b) => compareStreamIds(a.first, b.first) || compareStreamIds(b.last, a.last),
  );
  let reached = beforeAllIds;
  return widestFirst.filter((part) => {
    if (compareStreamIds(part.last, reached) <= 0) return true;
    reached = part.last;
    return false;
  });
}

/** Which parts of the event stream are wanted; those of imports always are. */
export type WantedParts = {
  /** Not those that reach this id of the stream. */
  streamBefore?: string;
  /** Those only that hold something that reached the stream between the two, milliseconds since 1970. */
  streamFrom?: number;
  streamTo?: number;
  /** Not these files. */
  without?: ReadonlySet<string>;
};

/**
 * Which of a table's files are to be read: not those that another holds too, which are about to go. So the rows of a merge
 * show once at any moment.
 */
export function partsToRead(files: readonly string[], wanted: WantedParts = {}): string[] {
  const { streamBefore, streamFrom = 0, streamTo = Infinity } = wanted;
  const parts = streamPartsOf(files);
  const hidden = new Set([...supersededParts(files), ...partsWithinOthers(parts).map(({ file }) => file)]);
  for (const { file, first, last } of parts) {
    const reachesIt = streamBefore !== undefined && compareStreamIds(last, streamBefore) >= 0;
    const isElsewhere = Number.parseInt(last, 10) < streamFrom || Number.parseInt(first, 10) > streamTo;
    if (reachesIt || isElsewhere) hidden.add(file);
  }
  return files.filter((file) => !hidden.has(file) && !wanted.without?.has(file)).sort();
}
