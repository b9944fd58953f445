/** Files of settings that a shop writes by hand: read whole at the start, and refused with every fault named. */
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../domain/errors.ts';

/** More than any shop writes; what is larger is another file. */
const largestFileBytes = 16 * 1024 * 1024;
/** A file that is wrong throughout is not to fill the screen. */
const faultsTold = 20;

export type SettingsFault = { place: string; message: string };

/** What the JSON file holds. `hint` says where to look; UsageError names the variable and the file. */
export function readSettingsFile(variable: string, path: string, hint: string): unknown {
  try {
    return JSON.parse(readUtf8(path));
  } catch (err) {
    throw new UsageError(
      `${variable} ${path} cannot be read: ${err instanceof Error ? err.message : err}. ${hint}`,
      { cause: err },
    );
  }
}

export function invalidSettings(
  variable: string,
  path: string,
  faults: readonly SettingsFault[],
  hint: string,
): UsageError {
  const told = faults.slice(0, faultsTold).map(({ place, message }) => `  ${place}: ${message}`);
  const more = faults.length > faultsTold ? `\n  and ${faults.length - faultsTold} more` : '';
  return new UsageError(`${variable} ${path} is not valid:\n${told.join('\n')}${more}\n${hint}`);
}

/** With or without a byte order mark, which editors on Windows write. */
function readUtf8(path: string): string {
  const { size } = statSync(path);
  if (size > largestFileBytes) throw new Error(`it has ${size} bytes; at most ${largestFileBytes} are taken`);
  const bytes = readFileSync(path);
  if (bytes.length === 0) throw new Error('it is empty');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error('it is not UTF-8; save it as UTF-8', { cause });
  }
}
