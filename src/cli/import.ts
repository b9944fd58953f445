/** `nextbest import`: a shop's own purchase history into the lake. It needs no Redis. */
import { Command, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { dayMs } from '../domain/time.ts';
import { refuseDemo } from '../history/demo-mark.ts';
import { importFiles } from '../history/import/import-files.ts';
import { defaultDiscontinuedAfterDays, type ImportReport } from '../history/import/import-options.ts';
import { ENCODINGS, type Encoding } from '../history/import/input-file.ts';
import { REASONS, type Reason } from '../history/import/preset.ts';
import {
  GENERIC_COLUMNS,
  type GenericColumn,
  type GenericOptions,
} from '../history/import/presets/generic.ts';
import { PRESET_SUMMARIES } from '../history/import/presets.ts';
import { readConfig } from '../infra/config.ts';
import { outputOf } from './output.ts';
import { showProgress } from './progress.ts';

/** Longer than a shop closes: what is older is an old export. */
const oldLogDays = 60;

const count = new Intl.NumberFormat('en').format;

type Flags = Partial<Record<GenericColumn, string>> & {
  preset?: string;
  rejects?: string;
  encoding: Encoding;
  discontinuedAfter?: string;
  hashCustomers?: boolean;
  dateFormat?: string;
  decimalComma?: boolean;
  nonProducts?: string;
};

export function importCommand(): Command {
  const command = new Command('import')
    .description("bring a shop's purchase history (CSV, NDJSON, Parquet; .gz as it is) into the lake")
    .argument('<file...>', 'files, or folders of files; all of them are read as one input')
    .option('--preset <name>', 'what the files are; see below')
    .option(
      '--rejects <file>',
      'where rows that are not taken are listed (default: <DATA_DIR>/rejects/<preset>-<time>.ndjson)',
    )
    .addOption(
      new Option('--encoding <name>', 'encoding of CSV files').choices([...ENCODINGS]).default('utf-8'),
    )
    .option(
      '--discontinued-after <days>',
      `an item without a sale in the last days of the log counts as discontinued, unless a catalogue says otherwise; 0: never (default: ${defaultDiscontinuedAfterDays})`,
    )
    .option('--hash-customers', 'name customers by the SHA-256 of their lower-cased id or e-mail address')
    .option('--date-format <format>', 'generic: how dates are written, such as "%d.%m.%Y %H:%M"')
    .option('--decimal-comma', 'generic: numbers are written 1.234,50')
    .option('--non-products <regex>', 'generic: item ids that are no products, such as "POST|FEE.*"');
  for (const column of GENERIC_COLUMNS)
    command.option(`--${column} <column>`, `generic: name of the column that holds the ${MEANINGS[column]}`);
  return command
    .addHelpText('after', `\n${presetList()}`)
    .action(async (paths: string[], flags: Flags, self: Command) => {
      const output = outputOf(self);
      const config = readConfig(process.env);
      if (flags.preset === undefined)
        throw new UsageError(`--preset is missing: it says what the files are.\n${presetList()}`);
      refuseDemo(config.dataDir);
      const startedAt = performance.now();
      const progress = showProgress('import');
      const report = await importFiles({
        dataDir: config.dataDir,
        currency: config.currency,
        preset: flags.preset,
        paths,
        now: Date.now(),
        encoding: flags.encoding,
        ...(flags.discontinuedAfter !== undefined && {
          discontinuedAfterDays: parseDays(flags.discontinuedAfter),
        }),
        hashCustomers: flags.hashCustomers === true,
        generic: genericOptions(flags),
        ...(flags.rejects !== undefined && { rejectsPath: flags.rejects }),
        onProgress: progress.report,
        say: output.say,
      }).finally(() => progress.stop());
      const seconds = (performance.now() - startedAt) / 1000;
      const text = [
        reportText(report, seconds),
        ...priceRemark(report),
        ...oldLogRemark(report, Date.now()),
      ].join('\n');
      const { rowsRead, accepted, rejected, linesWithoutPrice } = report;
      output.result({ rowsRead, accepted, rejected, linesWithoutPrice }, text);
      if (output.json) output.say(text);
      if (tookNothing(report)) process.exitCode = 1;
    });
}

const MEANINGS: Readonly<Record<GenericColumn, string>> = {
  customer: 'customer (required)',
  item: 'item (required)',
  date: 'date or time (required)',
  quantity: 'pieces; without it each row is one piece',
  price: 'price per piece',
  total: 'price of the whole line, where there is none per piece',
  discount: 'discount on the line',
  order: "order number; without it a customer's rows of one instant are one order",
  name: "item's name",
  category: "item's category",
  brand: "item's brand",
  channel: 'channel (web, store, app, email, phone)',
  currency: 'currency (ISO 4217)',
  type: 'type of event (purchase, return, view, addToCart)',
  segment: "customer's segment (country, region)",
};

function presetList(): string {
  return `Presets:\n${PRESET_SUMMARIES.map(([name, summary]) => `  ${name.padEnd(20)}${summary}`).join('\n')}`;
}

function parseDays(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new UsageError(`--discontinued-after must be a whole number of days, not "${text}".`);
  return Number(text);
}

function genericOptions(flags: Flags): GenericOptions {
  const columns: Partial<Record<GenericColumn, string>> = {};
  for (const column of GENERIC_COLUMNS) {
    const name = flags[column];
    if (name !== undefined) columns[column] = name;
  }
  const given = [
    ...Object.keys(columns),
    ...(['dateFormat', 'decimalComma', 'nonProducts'] as const).filter((flag) => flags[flag] !== undefined),
  ];
  if (given.length > 0 && flags.preset !== 'generic')
    throw new UsageError(
      `--${given[0]?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes with --preset generic: the other presets know their columns.`,
    );
  return {
    columns,
    ...(flags.dateFormat !== undefined && { dateFormat: flags.dateFormat }),
    ...(flags.decimalComma !== undefined && { decimalComma: flags.decimalComma }),
    ...(flags.nonProducts !== undefined && { nonProducts: flags.nonProducts }),
  };
}

/** Rows were read and every one was refused: the columns or formats are not what was said. */
function tookNothing({ rowsRead, accepted, rejected }: ImportReport): boolean {
  return rowsRead > 0 && accepted === 0 && !rejected.alreadyImported;
}

/** What follows from purchases without prices: value, margins and insights take them for gifts. */
function priceRemark({ linesWithoutPrice }: ImportReport): string[] {
  if (linesWithoutPrice === 0) return [];
  return [
    `Lines of purchases and returns without a price, the catalogue's included: ${count(linesWithoutPrice)}. They count as 0 in revenue and value. ` +
      'Name the column with --price or --total, or import a catalogue with priceMinor first.',
  ];
}

/** What follows from a log that ended long ago, such as a public data set: nobody there seems to shop any more. */
function oldLogRemark({ lastEventAt }: ImportReport, now: number): string[] {
  if (lastEventAt === undefined || now - lastEventAt < oldLogDays * dayMs) return [];
  const days = count(Math.floor((now - lastEventAt) / dayMs));
  const end = new Date(lastEventAt).toISOString().slice(0, 10);
  return [
    `The log ends on ${end}, ${days} days ago. Churn risks and what is due again are reckoned as of now: they take every ` +
      "customer for one who has not come since. Models are judged by the log's own last weeks all the same.",
  ];
}

/** The report as a table: every row that was read is in it once. */
function reportText(report: ImportReport, seconds: number): string {
  const lines: [string, number, string][] = [['accepted', report.accepted, '']];
  for (const [reason, rows] of Object.entries(report.rejected))
    lines.push([reason, rows, REASONS[reason as Reason]]);
  const width = Math.max(...lines.map(([name]) => name.length), 'rows read'.length);
  const digits = Math.max(...lines.map(([, rows]) => count(rows).length), count(report.rowsRead).length);
  const table = lines.map(([name, rows, why]) =>
    `  ${name.padEnd(width)}  ${count(rows).padStart(digits)}  ${why}`.trimEnd(),
  );
  const speed = count(Math.round(report.rowsRead / Math.max(0.001, seconds)));
  const gained = tookNothing(report)
    ? 'No row was taken, and nothing was changed. The rejects file tells each row and why; see docs/importing.md.'
    : report.rowsRead === 0
      ? 'There were no rows in it: nothing was changed.'
      : report.events + report.items + report.offers + report.decisions === 0
        ? 'The lake has all of it already: nothing was changed.'
        : `New in the lake: ${count(report.events)} events, ${count(report.items)} items, ${count(report.offers)} offers${report.decisions > 0 ? `, ${count(report.decisions)} decisions` : ''}. Next: nextbest train`;
  return [
    `  ${'rows read'.padEnd(width)}  ${count(report.rowsRead).padStart(digits)}  in ${seconds.toFixed(1)} s (${speed} rows/s)`,
    ...table,
    ...(report.rejectsFile === undefined ? [] : [`Rows that were not taken: ${report.rejectsFile}`]),
    gained,
  ].join('\n');
}
