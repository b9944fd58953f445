/**
 * A simulation on disk: `<folder>/{items,offers,customers,events,truth}.ndjson`. It is written into a folder beside it and
 * moved into place at the end, so that what stands under its name is always one whole simulation.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { UsageError } from '../domain/errors.ts';
import { createBufferedSink } from './buffered-sink.ts';
import type { SimulationOptions } from './options.ts';
import { type SimulationSummary, simulateShop } from './simulate-shop.ts';
import { SIMULATED_FILES, type SimulatedFile } from './sink.ts';

export type FormerSimulation = { seed: number; customers: number };

/**
 * What the folder holds: nothing (undefined), or a former simulation that may be replaced. UsageError for anything else:
 * a folder with files of somebody's own is never emptied.
 */
export async function formerSimulation(folder: string): Promise<FormerSimulation | undefined> {
  const names = await namesIn(folder);
  if (names.length === 0) return undefined;
  const former = isOursAlone(names) ? await readShopTruth(join(folder, fileName('truth'))) : undefined;
  if (former === undefined)
    throw new UsageError(
      `${folder} is not empty and does not hold a simulation, so nothing was written. Name an empty or new folder with --out.`,
    );
  return former;
}

/** Simulates the shop into the folder, in place of a simulation that is there; UsageError where something else is. */
export async function simulateIntoFolder(
  options: SimulationOptions,
  folder: string,
  onProgress?: (share: number, events: number) => void,
): Promise<SimulationSummary> {
  const target = resolve(folder);
  await formerSimulation(target);
  const partial = join(dirname(target), `.${basename(target)}.partial`);
  await discard(partial);
  await mkdir(partial, { recursive: true });
  try {
    const summary = await writeFiles(options, partial, onProgress);
    // Looked at again, since the simulation took its time.
    await formerSimulation(target);
    await discard(target);
    await rename(partial, target);
    return summary;
  } catch (err) {
    await discard(partial);
    throw err;
  }
}

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

function isOursAlone(names: readonly string[]): boolean {
  return names.every((name) => SIMULATED_FILES.some((file) => name === fileName(file)));
}

/** Deletes a folder of simulated files; one with anything else in it stays, and what follows fails on it. */
async function discard(folder: string): Promise<void> {
  if (isOursAlone(await namesIn(folder))) await rm(folder, { recursive: true, force: true });
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
      return { seed: Number(truth.seed), customers: Number(truth.customers) };
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    stream.destroy();
  }
}
