/** Names of the lake's parts: `stream-<first>-<last>.parquet` holds the entries of the event stream from one id to another. */
import { beforeAllIds, compareStreamIds } from '../domain/stream-id.ts';

export type StreamPart = { file: string; first: string; last: string };

export function streamPartName(first: string, last: string): string {
  return `stream-${first}-${last}`;
}

/** Those of the files that came out of the event stream. */
export function streamPartsOf(files: readonly string[]): StreamPart[] {
  return files.flatMap((file) => {
    const match = /^stream-(\d+-\d+)-(\d+-\d+)\.parquet$/.exec(file);
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
};

/**
 * Which of a table's files are to be read: not those that another holds too, which are about to go. So the rows of a merge
 * show once at any moment.
 */
export function partsToRead(files: readonly string[], wanted: WantedParts = {}): string[] {
  const { streamBefore, streamFrom = 0, streamTo = Infinity } = wanted;
  const parts = streamPartsOf(files);
  const hidden = new Set(partsWithinOthers(parts).map(({ file }) => file));
  for (const { file, first, last } of parts) {
    const reachesIt = streamBefore !== undefined && compareStreamIds(last, streamBefore) >= 0;
    const isElsewhere = Number.parseInt(last, 10) < streamFrom || Number.parseInt(first, 10) > streamTo;
    if (reachesIt || isElsewhere) hidden.add(file);
  }
  return files.filter((file) => !hidden.has(file)).sort();
}
