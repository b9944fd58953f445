/** A day as a flag takes it. */
import { InvalidArgumentError } from 'commander';
import { Day } from '../insights/period.ts';

export function parseDay(text: string): string {
  const { error } = Day.safeParse(text);
  if (error !== undefined) throw new InvalidArgumentError(`${error.issues[0]?.message}.`);
  return text;
}
