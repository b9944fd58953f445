/** `--processes`: how many processes of the service. */
import { InvalidArgumentError } from 'commander';

const most = 256;

export function processCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,3}$/.test(text) || count < 1 || count > most)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${most}.`);
  return count;
}
