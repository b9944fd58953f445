import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.ts';
import { formerSimulation, simulateIntoFolder } from '../../src/simulation/output-folder.ts';
import { SIMULATED_FILES } from '../../src/simulation/sink.ts';
import { optionsOf, simulateTexts } from './in-memory.ts';

const small = { customers: 15, items: 40, days: 60, seed: 3 };
let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nextbest-simulation-'));
  folder = join(root, 'data', 'simulated');
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('the files are the simulation, byte for byte, and nothing else is left', async () => {
  await simulateIntoFolder(optionsOf(small), folder);
  const texts = await simulateTexts(small);
  for (const file of SIMULATED_FILES)
    expect(await readFile(join(folder, `${file}.ndjson`), 'utf8')).toBe(texts[file]);
  expect((await readdir(folder)).sort()).toEqual(SIMULATED_FILES.map((file) => `${file}.ndjson`).sort());
});

test('a former simulation is known by its truth, and replaced', async () => {
  await simulateIntoFolder(optionsOf(small), folder);
  expect(await formerSimulation(folder)).toEqual({ kind: 'whole', seed: 3, customers: 15 });
  await simulateIntoFolder(optionsOf({ ...small, seed: 4 }), folder);
  expect(await formerSimulation(folder)).toEqual({ kind: 'whole', seed: 4, customers: 15 });
});

test('an empty folder and one that does not exist are taken', async () => {
  expect(await formerSimulation(folder)).toBeUndefined();
  await mkdir(folder, { recursive: true });
  expect(await formerSimulation(folder)).toBeUndefined();
  await simulateIntoFolder(optionsOf(small), folder);
  expect(await formerSimulation(folder)).toBeDefined();
});

test('a folder with anything else in it is refused and stays as it is', async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'orders.csv'), 'mine');
  await expect(simulateIntoFolder(optionsOf(small), folder)).rejects.toThrow(UsageError);
  expect(await readdir(folder)).toEqual(['orders.csv']);
});

test('a simulation beside a file of somebody’s own is refused', async () => {
  await simulateIntoFolder(optionsOf(small), folder);
  await writeFile(join(folder, 'notes.txt'), 'mine');
  await expect(simulateIntoFolder(optionsOf(small), folder)).rejects.toThrow(UsageError);
  expect(await readdir(folder)).toHaveLength(SIMULATED_FILES.length + 1);
});

test('files of the same names that are no simulation are refused', async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'events.ndjson'), '{"type":"visit"}\n');
  await expect(formerSimulation(folder)).rejects.toThrow(UsageError);
  await writeFile(join(folder, 'truth.ndjson'), 'not JSON\n');
  await expect(formerSimulation(folder)).rejects.toThrow(UsageError);
});

test('a file in the folder’s place is refused', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(formerSimulation(join(root, 'file'))).rejects.toThrow(UsageError);
});

test('a failure leaves the former simulation and no half of the new one', async () => {
  await simulateIntoFolder(optionsOf(small), folder);
  const failing = simulateIntoFolder(optionsOf({ ...small, seed: 4 }), folder, () => {
    throw new Error('stopped');
  });
  await expect(failing).rejects.toThrow('stopped');
  expect(await formerSimulation(folder)).toEqual({ kind: 'whole', seed: 3, customers: 15 });
  expect(await readdir(folder)).toHaveLength(SIMULATED_FILES.length);
});

test('what an interrupted run left is known as such and replaced', async () => {
  const partial = join(folder, '.partial');
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, 'events.ndjson'), '{"type":');
  expect(await formerSimulation(folder)).toEqual({ kind: 'interrupted' });
  // Interrupted while the files were being moved up: no truth yet.
  await writeFile(join(folder, 'items.ndjson'), '');
  expect(await formerSimulation(folder)).toEqual({ kind: 'interrupted' });
  await simulateIntoFolder(optionsOf(small), folder);
  expect(await readdir(folder)).toHaveLength(SIMULATED_FILES.length);
});

test('a folder .partial with files of somebody’s own is refused', async () => {
  await mkdir(join(folder, '.partial'), { recursive: true });
  await writeFile(join(folder, '.partial', 'notes.txt'), 'mine');
  await expect(simulateIntoFolder(optionsOf(small), folder)).rejects.toThrow(UsageError);
  expect(await readdir(join(folder, '.partial'))).toEqual(['notes.txt']);
});
