/**
 * A simulation on disk: `<folder>/{items,offers,customers,events,decisions,truth}.ndjson`. The files are written into
 * `.partial` within the folder and moved up at the end, the truth last: where there is a truth, the simulation is whole. The
 * folder itself stays, as it may be a mounted volume or somebody's working directory.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UsageError } from '../domain/errors.ts';
import { createBufferedSink } from './buffered-sink.ts';
import type { SimulationOptions } from './options.ts';
import { type SimulationSummary, simulateShop } from './simulate-shop.ts';
import { SIMULATED_FILES, type SimulatedFile } from './sink.ts';

export type FormerSimulation = { kind: 'whole'; seed: number; customers: number } | { kind: 'interrupted' };

const PARTIAL = '.partial';

/**
 * What the folder holds: nothing (undefined), or a former simulation that may be replaced. UsageError for anything else:
 * a folder with files of somebody's own is never emptied.
 */
export async function formerSimulation(folder: string): Promise<FormerSimulation | undefined> {
  const names = await namesIn(folder);
  if (names.length === 0) return undefined;
  const partialNames = names.includes(PARTIAL) ? await namesIn(join(folder, PARTIAL)) : [];
  if ([...names.filter((name) => name !== PARTIAL), ...partialNames].every(isOurs)) {
    const whole = await readShopTruth(join(folder, fileName('truth')));
    if (whole !== undefined) return whole;
    if (names.includes(PARTIAL)) return { kind: 'interrupted' };
  }
  throw new UsageError(
    `${folder} is not empty and does not hold a simulation alone, so nothing was written. Name an empty or new folder with --out.`,
  );
}

/** Simulates the shop into the folder, in place of a simulation that is there; UsageError where something else is. */
export async function simulateIntoFolder(
  options: SimulationOptions,
  folder: string,
  onProgress?: (share: number, events: number) => void,
): Promise<SimulationSummary> {
  await formerSimulation(folder);
  const partial = join(folder, PARTIAL);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const summary = await writeFiles(options, partial, onProgress);
    await rm(join(folder, fileName('truth')), { force: true });
    for (const file of IN_ORDER_OF_MOVING)
      await rename(join(partial, fileName(file)), join(folder, fileName(file)));
    return summary;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

const IN_ORDER_OF_MOVING = [...SIMULATED_FILES.filter((file) => file !== 'truth'), 'truth'] as const;

async function writeFiles(
  options: SimulationOptions,
  folder: string,
  onProgress?: (share: number, events: number) => void,
): Promise<SimulationSummary> {
  const handles = new Map<SimulatedFile, FileHandle>();
  try {
    for (const file of SIMULATED_FILES) handles.set(file, await open(join(folder, fileName(file)), 'w'));
    const sink = createBufferedSink(async (file, chunk) => {
      await handles.get(file)?.appendFile(chunk);
    });
    const summary = await simulateShop(options, sink, onProgress);
    await sink.flush();
    return summary;
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

function fileName(file: SimulatedFile): string {
  return `${file}.ndjson`;
}

function isOurs(name: string): boolean {
  return SIMULATED_FILES.some((file) => name === fileName(file));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR')
      throw new UsageError(`${folder} is a file. Name an empty or new folder with --out.`);
    throw err;
  }
}

/** The first line of a truth file; undefined when it is none. */
async function readShopTruth(path: string): Promise<FormerSimulation | undefined> {
  const stream = createReadStream(path, { end: 1 << 20 });
  try {
    for await (const line of createInterface({ input: stream })) {
      const truth = JSON.parse(line) as { kind?: unknown; seed?: unknown; customers?: unknown };
      if (truth.kind !== 'shop') return undefined;
      return { kind: 'whole', seed: Number(truth.seed), customers: Number(truth.customers) };
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    stream.destroy();
  }
}
