/** What an import is asked for, what it answers, and what its steps share. */
import type { JobProgress } from '../../domain/job.ts';
import type { Lake, LakeTable } from '../lake.ts';
import type { Encoding, InputFile } from './input-file.ts';
import type { Reason } from './preset.ts';
import type { GenericOptions } from './presets/generic.ts';

export type ImportOptions = {
  dataDir: string;
  /** Name of a preset. */
  preset: string;
  /** Files, or folders of files; all of them are read as one input. */
  paths: readonly string[];
  /** The shop's currency. */
  currency: string;
  /** Milliseconds since 1970. */
  now: number;
  encoding?: Encoding;
  /** Days without a sale at the end of the log after which an inferred item counts as discontinued; 0: never. */
  discontinuedAfterDays?: number;
  /** Customers are named by the SHA-256 of their lower-cased id or e-mail address. */
  hashCustomers?: boolean;
  /** Column names and formats of the preset `generic`. */
  generic?: GenericOptions;
  /** Where rejected rows are listed; default `<dataDir>/rejects/<preset>-<time>.ndjson`. */
  rejectsPath?: string;
  onProgress?: (progress: JobProgress) => void;
  /** Remarks for the person who imports. */
  say?: (text: string) => void;
};

export type ImportReport = {
  /** Rows of the files, without headers and empty lines: `accepted` and all of `rejected`. */
  rowsRead: number;
  accepted: number;
  rejected: Partial<Record<Reason, number>>;
  /** Lines of new purchases and returns that neither the row nor the catalogue names a price of: sold for nothing, as far as is known. */
  linesWithoutPrice: number;
  /** What the lake gained. */
  events: number;
  items: number;
  offers: number;
  decisions: number;
  /** Of the newest event in the lake, in milliseconds; undefined where there is none. */
  lastEventAt: number | undefined;
  /** NDJSON of `file, line, reason`; undefined where every row was accepted. */
  rejectsFile: string | undefined;
};

/** New rows for a table of the lake. */
export type NewPart = {
  table: Exclude<LakeTable, 'merges' | 'frames'>;
  /** Start of the part's name. */
  prefix: string;
  query: string;
  /** Columns that tell the rows apart, what they are about first. */
  key: readonly string[];
  orderBy?: string;
};

/**
 * What a preset's own part of the import leaves: a query of all rows (`file, line, reason`), how many each file has by
 * the count of its reader (position of the file → rows), and what the lake gains.
 */
export type ImportOutcome = {
  rows: string;
  /** A table of `file, line, fault`: what is wrong with some of the rejected, in words that name no value. */
  faults?: string;
  rowsRead: ReadonlyMap<number, number>;
  parts: readonly NewPart[];
};

export type ImportContext = {
  lake: Lake;
  files: readonly InputFile[];
  options: ImportOptions;
  /** A path for what a file's reader must put down for a moment. */
  scratchFile: string;
  /** `share` of the whole; `rows`: those that have been read since the last call. */
  progress: (stage: string, share: number, rows?: number) => void;
};

export const defaultDiscontinuedAfterDays = 90;
