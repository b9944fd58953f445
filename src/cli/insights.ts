/** `nextbest insights`: are customers kept? Reads the lake; needs no service. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { DIMENSIONS, DIMENSIONS_DEFAULT, type Dimension } from '../insights/dimensions.ts';
import { periodDaysDefault, periodFaults } from '../insights/period.ts';
import { readRetention } from '../insights/retention.ts';
import { parseDay } from './day-flag.ts';
import { retentionTable } from './insights-table.ts';
import { outputOf } from './output.ts';

type InsightsFlags = { from?: string; to?: string; by: readonly Dimension[] };

export const insightsCommand = (): Command =>
  new Command('insights')
    .description(
      'repeat purchases, churn, value and satisfaction of a period, of all customers and by group, and monthly cohorts; ' +
        'docs/insights.md has the definitions',
    )
    .option('--from <YYYY-MM-DD>', `first day, UTC (default: ${periodDaysDefault} days in all)`, parseDay)
    .option('--to <YYYY-MM-DD>', 'last day, UTC (default: that of the last purchase)', parseDay)
    .addOption(
      new Option('--by <name,name…>', `what customers are told apart by: ${DIMENSIONS.join(', ')}`)
        .argParser(dimensions)
        .default(DIMENSIONS_DEFAULT, 'all but cohort'),
    )
    .allowExcessArguments()
    .action(async (flags: InsightsFlags, command: Command) => {
      // Who knows GET /insights/retention writes that word here too, and is to be told more than that it is one too many.
      const [word] = command.args;
      if (word !== undefined)
        throw new UsageError(
          `insights takes no "${word}": by itself it prints all of retention, churn and value; --by, --from and --to say of whom and when.`,
        );
      const [fault] = periodFaults(flags);
      if (fault !== undefined) throw new UsageError(`--${fault.path} ${fault.message}.`);
      const output = outputOf(command);
      const config = readConfig(process.env);
      const lake = await openLake(config.dataDir);
      try {
        const retention = await readRetention(lake, flags, Date.now());
        if (retention.total.customers === 0)
          output.say('Nobody had bought anything by then: see `nextbest import`.');
        output.result(
          { ...retention, currency: config.currency },
          retentionTable(retention, config.currency),
        );
      } finally {
        lake.close();
      }
    });

function dimensions(text: string): Dimension[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !(DIMENSIONS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is not among ${DIMENSIONS.join(', ')}.`);
  return [...new Set(names)] as Dimension[];
}
