/**
 * The folder of a batch, `<dataDir>/batches/<batchId>/`, which service and worker share:
 *
 *   request.json      what was asked, and when; ids.ndjson: about whom, where they were listed
 *   customers.parquet the ids, each once, in order
 *   candidates.bin    what each customer could have; shares.bin: what each gets of the offers whose budgets are shared out
 *   shares.json       which offers those are, once shares.bin is whole
 *   part-000001       the result's lines of so many customers; a part that is there is done
 *   counts-000001     what a part comes to, written before it
 *   warnings.json     what may be a slip of the request, in words
 *   finished.json     when all of them were there
 *   cancelled         it is to stop, or has stopped
 *   breaks.json       how often it has stopped in the middle of a part
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  addCounts,
  BatchAbout,
  BatchCounts,
  type BatchFormat,
  BatchPayload,
  type BatchRequest,
  batchHead,
  noBatchCounts,
} from '../domain/batch.ts';
import { dayMs } from '../domain/time.ts';
import { isThere, writeAtomically } from './files.ts';

/** After that, the result is swept. */
const batchKeptMs = 7 * dayMs;

/** What is kept may have been asked for so much earlier: it may have been broken off, and gone on with, for a week. */
const knownDays = (2 * batchKeptMs) / dayMs;

const StoredRequest = z.object({ about: BatchAbout, createdAt: z.number() });
export type StoredRequest = z.output<typeof StoredRequest>;

const PartCounts = z.object({
  counts: BatchCounts,
  /** How long it took; the first, with the valuing before it. */
  seconds: z.number(),
});
export type PartCounts = z.output<typeof PartCounts>;

const Finished = z.object({ finishedAt: z.number() });
const Warnings = z.array(z.string());
const Breaks = z.object({ breaks: z.int().min(0) });
const CustomerCount = z.object({ customers: z.int().min(0) });

export type BatchFolder = ReturnType<typeof batchFolder>;

/**
 * The same request is the same batch, of the day (UTC) on which it is first asked for: one that is made anew has decisions of
 * its own, and parts of the lake that are named by it.
 */
export function batchIdOf(request: BatchRequest, now: number): string {
  const [batchId = ''] = batchIdsOf(request, now);
  return batchId;
}

/** The ids that the same request may have been given by now, today's first. */
export function batchIdsOf(request: BatchRequest, now: number): string[] {
  const digest = sha256(JSON.stringify(request));
  const today = Math.floor(now / dayMs);
  return Array.from(
    { length: knownDays },
    (_, ago) => `batch-${sha256(`${digest} ${today - ago}`).slice(0, 16)}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Throws a ZodError for what is no id: it becomes a path. */
export function batchFolder(dataDir: string, batchId: string) {
  const folder = join(dataDir, 'batches', BatchPayload.parse({ batchId }).batchId);
  const path = (name: string) => join(folder, name);
  const partName = (part: number) => `part-${String(part).padStart(6, '0')}`;
  const put = (name: string, content: string) =>
    writeAtomically(path(name), (temporary) => writeFile(temporary, content));
  const readJson = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const text = await readFile(path(name), 'utf8').catch((err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT') return undefined;
      throw err;
    });
    return text === undefined ? undefined : schema.parse(JSON.parse(text));
  };
  const names = async (pattern: RegExp) =>
    (await readdir(folder).catch(() => [])).filter((name) => pattern.test(name)).sort();
  const breaks = async () => (await readJson('breaks.json', Breaks))?.breaks ?? 0;
  return {
    folder,
    customers: path('customers.parquet'),
    candidates: path('candidates.bin'),
    shares: path('shares.bin'),
    ids: path('ids.ndjson'),
    hasPart: (part: number) => isThere(path(partName(part))),
    parts: async (): Promise<string[]> =>
      (await readdir(folder).catch(() => []))
        .filter((name) => /^part-\d{6}$/.test(name))
        .sort()
        .map(path),
    /** The ids first: a batch is there when its request is. */
    create: async ({ customerIds, everybody: _, ...about }: BatchRequest, createdAt: number) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (customerIds !== undefined)
        await put('ids.ndjson', `${customerIds.map((id) => JSON.stringify(id)).join('\n')}\n`);
      const stored: StoredRequest = { about: { ...about, listed: customerIds !== undefined }, createdAt };
      await put('request.json', JSON.stringify(stored));
    },
    request: () => readJson('request.json', StoredRequest),
    /** Of all parts that are done. */
    counts: async (): Promise<PartCounts> => {
      const sum: PartCounts = { counts: { ...noBatchCounts }, seconds: 0 };
      for (const name of await names(/^part-\d{6}$/)) {
        const part = await readJson(name.replace('part', 'counts'), PartCounts);
        if (part === undefined) continue;
        sum.counts = addCounts(sum.counts, part.counts);
        sum.seconds += part.seconds;
      }
      sum.counts.customers = (await readJson('customers.json', CustomerCount))?.customers ?? 0;
      return sum;
    },
    /** The list as it is so far. */
    lines: async function* (format: BatchFormat): AsyncGenerator<string> {
      const head = batchHead(format);
      if (head !== '') yield head;
      for (const name of await names(/^part-\d{6}$/))
        for await (const chunk of createReadStream(path(name), { encoding: 'utf8' })) yield String(chunk);
    },
    putPart: async (part: number, lines: string, counts: PartCounts) => {
      await put(partName(part).replace('part', 'counts'), JSON.stringify(counts));
      await put(partName(part), lines);
    },
    putCustomers: (customers: number) => put('customers.json', JSON.stringify({ customers })),
    warn: (warnings: string[]) => put('warnings.json', JSON.stringify(warnings)),
    warnings: async () => (await readJson('warnings.json', Warnings)) ?? [],
    finish: (finishedAt: number) => put('finished.json', JSON.stringify({ finishedAt })),
    finishedAt: async () => (await readJson('finished.json', Finished))?.finishedAt,
    breaks,
    /** After what it had decided of the part is logged. */
    countBreak: async () => put('breaks.json', JSON.stringify({ breaks: (await breaks()) + 1 })),
    put,
    readJson,
    isCancelled: () => isThere(path('cancelled')),
    cancel: () => put('cancelled', ''),
    uncancel: () => rm(path('cancelled'), { force: true }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Removes batches that nobody is at work on and whose time is over. Answers how many. */
export async function sweepBatches(dataDir: string, now: number): Promise<number> {
  const root = join(dataDir, 'batches');
  let removed = 0;
  for (const name of await readdir(root).catch(() => [])) {
    if (!BatchPayload.safeParse({ batchId: name }).success) continue;
    const { mtimeMs } = await stat(join(root, name));
    if (now - mtimeMs < batchKeptMs) continue;
    await rm(join(root, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}
