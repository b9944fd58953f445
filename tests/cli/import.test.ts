import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { importCommand } from '../../src/cli/import.ts';
import { UsageError } from '../../src/domain/errors.ts';

let folder: string;
let stdout: string;
let stderr: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-cli-import-'));
  stdout = '';
  stderr = '';
  vi.stubEnv('DATA_DIR', join(folder, 'data'));
  vi.stubEnv('CURRENCY', '');
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    stderr += String(chunk);
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<void> {
  const program = new Command('nextbest')
    .option('--json')
    .exitOverride()
    .addCommand(importCommand().exitOverride());
  await program.parseAsync(['node', 'nextbest', ...args]);
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const RETAIL = `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,10001,MUG,2,2011-01-04 10:00:00,2.55,20001.0,France
1,POST,POSTAGE,1,2011-01-04 10:00:00,9.00,20001.0,France
2,10001,MUG,1,2011-01-05 10:00:00,2.55,,France
3,10001
`;

describe('nextbest import', () => {
  test('without any setting takes a log in a currency of its own, and prints the account as the last line of stdout', async () => {
    await run('--json', 'import', '--preset', 'uci-online-retail', await file('retail.csv', RETAIL));
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      rowsRead: 4,
      accepted: 1,
      rejected: { malformed: 1, noCustomer: 1, nonProduct: 1 },
      linesWithoutPrice: 0,
    });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/import 100% done · 4 rows · \d+ rows\/s/);
    expect(stderr).toContain('CURRENCY=GBP');
    expect(await readdir(join(folder, 'data', 'lake', 'events'))).toHaveLength(1);
  });

  test('for people prints a table, where the rejects are, and the next step', async () => {
    await run('import', '--preset', 'uci-online-retail', await file('retail.csv', RETAIL));
    expect(stderr).toMatch(/import 100% done/);
    expect(stdout).toMatch(/rows read +4 {2}in \d+\.\d s/);
    expect(stdout).toMatch(/accepted +1\n/);
    expect(stdout).toMatch(/noCustomer +1 {2}a guest/);
    expect(stdout).toContain('New in the lake: 2 events, 1 items, 0 offers. Next: nextbest train');
    expect(stdout).toMatch(/The log ends on 2011-01-04, [\d,]+ days ago\./);
    const rejects = /Rows that were not taken: (.*)\n/.exec(stdout)?.[1] ?? '';
    expect((await readFile(rejects, 'utf8')).trim().split('\n')).toHaveLength(3);
  });

  test("names a table's columns by flags", async () => {
    const path = await file('bons.csv', 'Bon;Kunde;Ware;Tag;Preis\n7;K1;Tee;31.01.2026;3,99\n');
    const flags = [
      '--order',
      'Bon',
      '--customer',
      'Kunde',
      '--item',
      'Ware',
      '--date',
      'Tag',
      '--price',
      'Preis',
    ];
    await run(
      '--json',
      'import',
      '--preset',
      'generic',
      ...flags,
      '--date-format',
      '%d.%m.%Y',
      '--decimal-comma',
      path,
    );
    expect(JSON.parse(stdout)).toEqual({ rowsRead: 1, accepted: 1, rejected: {}, linesWithoutPrice: 0 });
  });

  test('counts what has no price, and says what to do', async () => {
    const path = await file('log.csv', 'customer,item,date\nK1,tea,2026-01-31\nK1,cup,2026-01-31\n');
    await run('--json', 'import', '--preset', 'generic', path);
    expect(JSON.parse(stdout)).toEqual({ rowsRead: 2, accepted: 2, rejected: {}, linesWithoutPrice: 2 });
    expect(stderr).toMatch(/without a price, .*: 2\. They count as 0 .* --price or --total/);
  });

  test.each([
    [['import', 'x.csv'], /--preset is missing[\s\S]*shopify-orders/],
    [['import', '--preset', 'nope', 'x.csv'], /There is no preset "nope"[\s\S]*woocommerce/],
    [['import', '--preset', 'generic', 'nowhere.csv'], /There is no file nowhere.csv/],
    [
      ['import', '--preset', 'woocommerce', '--customer', 'Kunde', 'x.csv'],
      /--customer goes with --preset generic/,
    ],
    [
      ['import', '--preset', 'woocommerce', '--decimal-comma', 'x.csv'],
      /--decimal-comma goes with --preset generic/,
    ],
    [
      ['import', '--preset', 'generic', '--discontinued-after', 'soon', 'x.csv'],
      /must be a whole number of days/,
    ],
  ])('%j is wrong usage', async (args, message) => {
    const failure = await run(...args).catch((err: Error) => err);
    expect(failure).toBeInstanceOf(UsageError);
    expect(String(failure)).toMatch(message);
  });
});

test('of a log that ends today nothing is said about its age', async () => {
  const rows = `customer_id,sku,order_date,price\nada,tea,${new Date(Date.now() - 60_000).toISOString()},3\n`;
  await run('import', '--preset', 'generic', await file('today.csv', rows));
  expect(stdout).toContain('New in the lake: 1 events');
  expect(stdout).not.toContain('The log ends on');
});

test('an import that takes no row says so and fails: the format is not what was said', async () => {
  const german = await file('bons.csv', 'kunde;artikel;datum;preis\nanna;tee;2026-01-05;12,90\n');
  const columns = ['--customer', 'kunde', '--item', 'artikel', '--date', 'datum', '--price', 'preis'];
  const before = process.exitCode;
  await run('import', '--preset', 'generic', ...columns, german);
  const exitCode = process.exitCode;
  process.exitCode = before;
  expect(exitCode).toBe(1);
  expect(stdout).toContain('badPrice');
  expect(stdout).toContain('No row was taken');
});

test('a file without rows is told as one, not as a log that is known already', async () => {
  await run(
    'import',
    '--preset',
    'uci-online-retail',
    await file('retail.csv', `${RETAIL.split('\n')[0]}\n`),
  );
  expect(stdout).toContain('There were no rows in it: nothing was changed.');
});

test('into a DATA_DIR that is a file is wrong usage', async () => {
  vi.stubEnv('DATA_DIR', await file('data', ''));
  const failure = await run('import', '--preset', 'uci-online-retail', await file('x.csv', RETAIL)).catch(
    (err: Error) => err,
  );
  expect(failure).toBeInstanceOf(UsageError);
  expect(String(failure)).toMatch(
    /The folder .*data.* cannot be used: there is a file in its place. Set DATA_DIR/,
  );
});
