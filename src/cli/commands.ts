/** Every command, in the order of the help text. */
import type { Command } from 'commander';
import { simulateCommand } from './simulate.ts';

export const COMMANDS: readonly (() => Command)[] = [simulateCommand];
