/** Every command, in the order of the help text. */
import type { Command } from 'commander';

export const COMMANDS: readonly (() => Command)[] = [];
