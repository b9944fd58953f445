/** The `nextbest` command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { Command, CommanderError } from 'commander';
import { AppError, UsageError } from '../domain/errors.ts';
import '../domain/fault-sentences.ts';
import { VERSION } from '../infra/version.ts';
import { COMMANDS } from './commands.ts';

const program = new Command('nextbest')
  .description('Recommends products, decides the next best offer, and shows whether customers stay.')
  .option('--json', 'results on stdout as one JSON object a line, not as text')
  .version(VERSION);
prepared(program);
// Without a command that is known, all of them: their summaries make the help text.
const asked = process.argv.slice(2).find((word) => !word.startsWith('-')) ?? '';
const isVersionAsked = asked === '' && process.argv.includes('--version');
const loaders = Object.hasOwn(COMMANDS, asked)
  ? [COMMANDS[asked]]
  : isVersionAsked
    ? []
    : Object.values(COMMANDS);
for (const load of loaders) if (load) program.addCommand(prepared(await load()));

try {
  await program.parseAsync();
} catch (err) {
  if (err instanceof CommanderError) process.exitCode = err.exitCode === 0 ? 0 : 2;
  else if (err instanceof UsageError) {
    process.stderr.write(`nextbest: ${err.message}\n`);
    process.exitCode = 2;
  } else if (err instanceof AppError && err.code !== 'INTERNAL') {
    // Foreseen: its sentence says enough.
    process.stderr.write(`nextbest: ${err.public}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`nextbest: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}\n`);
    process.exitCode = 1;
  }
}

/** Subcommands too: each would otherwise end the process by itself. */
function prepared(command: Command): Command {
  command.exitOverride();
  for (const subcommand of command.commands) prepared(subcommand);
  return command;
}
