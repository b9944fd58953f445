import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseSimulationFlags, simulateCommand } from '../../src/cli/simulate.ts';
import { UsageError } from '../../src/domain/errors.ts';

const now = Date.parse('2026-07-01T00:30:00Z');

describe('flags', () => {
  test('without flags it is the default shop, until yesterday', () => {
    expect(parseSimulationFlags({}, now)).toEqual({
      customers: 3000,
      items: 500,
      days: 540,
      offerWeeks: 12,
      seed: 1,
      end: '2026-06-30',
    });
  });

  test('every flag counts', () => {
    const flags = { customers: '10', items: '30', days: '90', offerWeeks: '4', seed: '0', end: '2024-02-29' };
    expect(parseSimulationFlags(flags, now)).toEqual({
      customers: 10,
      items: 30,
      days: 90,
      offerWeeks: 4,
      seed: 0,
      end: '2024-02-29',
    });
  });

  test('every fault is named at once', () => {
    const flags = {
      customers: '0',
      items: 'many',
      days: '1.5',
      offerWeeks: '-2',
      seed: '-1',
      end: '2026-02-30',
    };
    expect(() => parseSimulationFlags(flags, now)).toThrow(UsageError);
    try {
      parseSimulationFlags(flags, now);
    } catch (err) {
      for (const flag of ['--customers', '--items', '--days', '--offer-weeks', '--seed', '--end'])
        expect((err as Error).message).toContain(flag);
    }
  });

  test.each(['', ' ', '1e3', '0x10', '12abc', '99999999999999999999'])(
    'a number is not "%s"',
    (customers) => {
      expect(() => parseSimulationFlags({ customers }, now)).toThrow(UsageError);
    },
  );
});

describe('command', () => {
  let folder: string;
  let stdout: string;
  let stderr: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nextbest-simulate-'));
    stdout = '';
    stderr = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  const flags = ['--customers', '12', '--items', '30', '--days', '60', '--end', '2026-06-30'];
  const run = (...args: string[]) =>
    new Command('nextbest')
      .option('--json')
      .addCommand(simulateCommand())
      .parseAsync(['simulate', ...args], { from: 'user' });

  test('with --json, stdout is one object that counts what was written', async () => {
    await run('--json', ...flags, '--seed', '7', '--out', folder);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    const lines = async (file: string) => (await readFile(join(folder, file), 'utf8')).split('\n').length - 1;
    expect(result).toMatchObject({
      customers: 12,
      items: 30,
      offers: 19,
      days: 60,
      seed: 7,
      end: '2026-06-30',
      out: folder,
      events: await lines('events.ndjson'),
    });
    expect(await lines('customers.ndjson')).toBe(12);
    expect(result.seconds).toBeGreaterThan(0);
    expect(result.eventsPerMinute).toBeGreaterThan(0);
    expect(stderr).toContain('simulate 100%');
  });

  test('without --json, stdout has the result as text alone', async () => {
    await run(...flags, '--out', folder);
    expect(stdout).toMatch(/^[^\n]*12 customers, 30 items, 19 offers[^\n]*\n$/);
    expect(stderr).toContain('simulate 100%');
  });

  test('without --out it is <DATA_DIR>/simulated', async () => {
    vi.stubEnv('DATA_DIR', folder);
    await run('--json', ...flags);
    expect(JSON.parse(stdout)).toMatchObject({ out: join(folder, 'simulated') });
    expect(await readFile(join(folder, 'simulated', 'items.ndjson'), 'utf8')).toContain('"itemId":"i00001"');
  });

  test('a former simulation is replaced, and it says so', async () => {
    await run(...flags, '--seed', '7', '--out', folder);
    await run(...flags, '--seed', '8', '--out', folder);
    expect(stderr).toContain('Replacing the simulation of seed 7 with 12 customers');
    expect(await readFile(join(folder, 'truth.ndjson'), 'utf8')).toContain('"seed":8');
  });

  test('a folder that holds something else is refused untouched', async () => {
    await writeFile(join(folder, 'orders.csv'), 'mine');
    await expect(run(...flags, '--out', folder)).rejects.toThrow(UsageError);
    expect(await readFile(join(folder, 'orders.csv'), 'utf8')).toBe('mine');
  });
});
