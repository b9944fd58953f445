/** `--processes`: how many processes of the service. */
import { InvalidArgumentError } from 'commander';
import type { Logger } from '../infra/logger.ts';

const most = 256;

export function processCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,3}$/.test(text) || count < 1 || count > most)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${most}.`);
  return count;
}

/** SIGUSR2 reached a process that nothing can take the place of while it ends. */
export function tellNothingToReplace(log: Pick<Logger, 'warn'>): void {
  log.warn(
    { event: 'process.not-replaced' },
    'SIGUSR2 replaces the processes of the service one by one: it needs --processes 2 or more, all of them listening',
  );
}
