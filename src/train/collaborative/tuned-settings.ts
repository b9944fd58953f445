/** The hyper-parameters that `nextbest tune` found for the shop: where they are kept, and which a training may use. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../domain/errors.ts';
import type { Params, ParamValue } from '../../evaluation/search/space.ts';
import { CollaborativeSettings, defaultSettings } from './settings.ts';

/** Name of the model in the file, as `nextbest tune` writes it for every model. */
export const tunedModel = 'collaborative';
const namePattern = /^collaborative-(\d{13})\.json$/;

/** Below DATA_DIR. The file of a search that saw what was bought before `until` (milliseconds since 1970), and nothing later. */
export function tunedPath(dataDir: string, until: number): string {
  return join(tuningDir(dataDir), `collaborative-${String(Math.trunc(until)).padStart(13, '0')}.json`);
}

export function tuningDir(dataDir: string): string {
  return join(dataDir, 'tuning');
}

/**
 * The newest settings of a search that saw nothing from `until` on: a test is not to be judged by settings that knew it.
 * undefined where nothing was tuned. UsageError for a file that cannot be understood.
 */
export async function readTunedSettings(
  dataDir: string,
  until: number,
): Promise<CollaborativeSettings | undefined> {
  const names = await readdir(tuningDir(dataDir)).catch(() => []);
  const newest = names
    .filter((name) => Number(namePattern.exec(name)?.[1] ?? Number.POSITIVE_INFINITY) <= until)
    .sort()
    .at(-1);
  if (newest === undefined) return undefined;
  const path = join(tuningDir(dataDir), newest);
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as Record<string, Params>;
    return settingsOf(content[tunedModel] ?? {});
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${path} does not hold settings: ${detail}. Delete it, or run nextbest tune again.`);
  }
}

/** `{"ials.factors": 64, …}` over the defaults. Throws where a name or value is none. */
export function settingsOf(params: Params): CollaborativeSettings {
  const settings = structuredClone(defaultSettings) as Record<string, unknown>;
  for (const [name, value] of Object.entries(params)) set(settings, name.split('.'), value);
  return CollaborativeSettings.parse(settings);
}

function set(
  target: Record<string, unknown>,
  [first = '', ...rest]: readonly string[],
  value: ParamValue,
): void {
  if (!Object.hasOwn(target, first)) throw new RangeError(`there is no setting ${first}`);
  if (rest.length === 0) target[first] = value;
  else set(target[first] as Record<string, unknown>, rest, value);
}
