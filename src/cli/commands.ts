/** Every command, in the order of the help text. */
import type { Command } from 'commander';
import { demoCommand } from './demo.ts';
import { importCommand } from './import.ts';
import { modelsCommand } from './models.ts';
import { offersCommand } from './offers.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { startCommand } from './start.ts';
import { trainCommand } from './train.ts';
import { workerCommand } from './worker.ts';

export const COMMANDS: readonly (() => Command)[] = [
  demoCommand,
  importCommand,
  simulateCommand,
  offersCommand,
  trainCommand,
  modelsCommand,
  startCommand,
  serveCommand,
  workerCommand,
];
