/**
 * Campaigns' lists on disk. One that is complete loses the customer's lines. One that was stopped goes as a whole: what it has
 * reckoned stands by position, and asked for again it is made anew. One that is being made is left to end first.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queue } from 'bullmq';
import { BatchPayload } from '../../domain/batch.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { eraseFromFile } from '../../history/erase-lake.ts';
import type { Lake } from '../../history/lake.ts';
import { batchFolder } from '../../infra/batch-files.ts';
import { csvCell } from '../../infra/csv.ts';
import { writeAtomically } from '../../infra/files.ts';

export type BatchFindings = {
  lines: number;
  /** Batches of theirs that are being made. */
  underWay: number;
};

export async function sweepBatchFiles(
  { lake, dataDir, queue }: { lake: Lake; dataDir: string; queue: Pick<Queue, 'getJobState'> },
  customerIds: readonly CustomerId[],
  erase: boolean,
): Promise<BatchFindings> {
  const found: BatchFindings = { lines: 0, underWay: 0 };
  const wanted = new Set<string>(customerIds);
  for (const batchId of await readdir(join(dataDir, 'batches')).catch(() => [])) {
    if (!BatchPayload.safeParse({ batchId }).success) continue;
    const folder = batchFolder(dataDir, batchId);
    const finished = (await folder.finishedAt()) !== undefined;
    const inTable = await eraseFromFile(lake, folder.customers, 'id', customerIds, erase && finished).catch(
      notThere,
    );
    let lines = inTable + (await sweepLines(folder.ids, (line) => wanted.has(jsonOf(line)), erase));
    for (const part of await folder.parts())
      lines += await sweepLines(part, (line) => wanted.has(customerOf(line, customerIds)), erase);
    if (lines > 0 && !finished) {
      const state = await queue.getJobState(batchId);
      if (['active', 'waiting', 'delayed', 'prioritized'].includes(state)) found.underWay++;
      else if (erase) await folder.remove();
    }
    found.lines += lines;
  }
  return found;
}

/** Lines of a result are NDJSON, or CSV whose first cell is the customer. */
function customerOf(line: string, customerIds: readonly CustomerId[]): string {
  if (line.startsWith('{')) {
    const parsed: unknown = JSON.parse(line);
    return String((parsed as { customerId?: unknown }).customerId);
  }
  return customerIds.find((id) => line.startsWith(`${csvCell(id)},`)) ?? '';
}

function jsonOf(line: string): string {
  return line === '' ? '' : String(JSON.parse(line));
}

/** A part has the lines of ten thousand customers at most. */
async function sweepLines(
  path: string,
  isTheirs: (line: string) => boolean,
  erase: boolean,
): Promise<number> {
  const text = await readFile(path, 'utf8').catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return '';
    throw err;
  });
  const lines = text.split('\n');
  const kept = lines.filter((line) => line === '' || !isTheirs(line));
  if (kept.length < lines.length && erase)
    await writeAtomically(path, (temporary) => writeFile(temporary, kept.join('\n')));
  return lines.length - kept.length;
}

function notThere(err: unknown): number {
  if (err instanceof Error && /No files found|Cannot open file|No such file/.test(err.message)) return 0;
  throw err;
}
