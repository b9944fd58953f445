import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { accountOf } from '../../../src/history/import/account.ts';
import { REASONS } from '../../../src/history/import/preset.ts';
import type { PresetName } from '../../../src/history/import/presets.ts';
import { findPreset, OWN_PRESET, PRESET_SUMMARIES } from '../../../src/history/import/presets.ts';
import { type FileKind, PRESET_FILES } from './preset-files.ts';
import { accountedFor, openShop } from './support.ts';

const presetNames = Object.keys(PRESET_FILES) as PresetName[];

test('every preset that the help names is held to its account below', () => {
  expect(presetNames.toSorted()).toEqual(PRESET_SUMMARIES.map(([name]) => name).toSorted());
  for (const name of presetNames) if (name !== OWN_PRESET) expect(findPreset(name, {}).name).toBe(name);
});

describe.each(presetNames)('the account of the preset %s', (preset) => {
  const kinds: readonly FileKind[] = PRESET_FILES[preset];

  test('accepts every row of files in which nothing is wrong', async () => {
    const shop = await openShop();
    const paths = [];
    for (const { name, header, good } of kinds)
      paths.push(
        await shop.file(name, [...(header === undefined ? [] : [header]), good(1), good(2)].join('\n')),
      );
    expect(await shop.run(preset, paths)).toMatchObject({
      rowsRead: 2 * kinds.length,
      accepted: 2 * kinds.length,
      rejected: {},
    });
  });

  test('has every row that was written once: accepted, or rejected for one reason', async () => {
    const shop = await openShop();
    const files = fc.tuple(
      ...kinds.map((kind) =>
        fc.record({ kind: fc.constant(kind), pieces: fc.array(kind.piece, { maxLength: 40 }) }),
      ),
    );
    const end = fc.constantFrom('\n', '\r\n');
    let nth = 0;
    await fc.assert(
      fc.asyncProperty(files, end, fc.boolean(), async (written, lineEnd, zipped) => {
        let expected = 0;
        const paths: string[] = [];
        for (const { kind, pieces } of written) {
          const lines = [
            ...(kind.header === undefined ? [] : [kind.header]),
            ...pieces.map(({ text }) => text),
            kind.good(nth),
          ];
          expected += 1 + pieces.filter(({ rows }) => rows === 1).length;
          // One byte a character, so that \xff stays a byte that is no UTF-8.
          const bytes = Buffer.from(lines.join(lineEnd) + lineEnd, 'latin1');
          paths.push(await shop.file(`${nth}-${kind.name}${zipped ? '.gz' : ''}`, bytes));
        }
        nth += 1;
        const report = await shop.run(preset, paths);
        expect(report.rowsRead).toBe(expected);
        expect(accountedFor(report)).toBe(expected);
        expect(Object.keys(REASONS)).toEqual(expect.arrayContaining(Object.keys(report.rejected)));
        const listed = await shop.rejects(report);
        expect(listed).toHaveLength(expected - report.accepted - (report.rejected.alreadyImported ?? 0));
        expect(new Set(listed.map(({ file, line }) => `${file} ${line}`)).size).toBe(listed.length);
        expect(await shop.run(preset, paths)).toMatchObject({ rowsRead: expected, accepted: 0 });
      }),
      { numRuns: 8 },
    );
  });
});

describe('an account that does not come out', () => {
  const files = [{ path: 'a.csv' }, { path: 'b.csv' }];
  const rowsRead = new Map([
    [0, 2],
    [1, 1],
  ]);
  async function account(values: string) {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    onTestFinished(() => connection.closeSync());
    return accountOf(
      connection,
      { rows: `SELECT * FROM (VALUES ${values}) t(file, line, reason)`, rowsRead },
      files,
    );
  }

  test('is none where every row is accounted for', async () => {
    expect(await account(`(0, 2, NULL), (0, 3, 'noItem'), (1, 2, 'alreadyImported')`)).toEqual({
      rowsRead: 3,
      accepted: 1,
      rejected: { noItem: 1, alreadyImported: 1 },
      listed: 1,
    });
  });

  test.each([
    ['a row is lost', `(0, 2, NULL), (1, 2, NULL)`, 'a.csv has 2 rows, but 1 are accounted for'],
    ['a whole file is lost', `(0, 2, NULL), (0, 3, NULL)`, 'b.csv has 1 rows, but 0 are accounted for'],
    [
      'a row is judged twice',
      `(0, 2, NULL), (0, 3, NULL), (0, 3, 'noItem'), (1, 2, NULL)`,
      'a.csv has 2 rows, but 3',
    ],
    [
      'one file lost what another gained',
      `(0, 2, NULL), (1, 2, NULL), (1, 2, NULL)`,
      'a.csv has 2 rows, but 1',
    ],
    [
      'a reason is not among those that are reported',
      `(0, 2, NULL), (0, 3, 'odd'), (1, 2, NULL)`,
      'a.csv has 2 rows, but 1',
    ],
  ])('throws with both numbers when %s', async (_what, values, message) => {
    await expect(account(values)).rejects.toThrow(message);
  });
});
