/**
 * Keeps every trial of a search in a file, so that the search goes on where it was stopped, and the best of them in another.
 */
import { access, constants, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../domain/errors.ts';
import { writeAtomically } from '../../infra/files.ts';
import { bestTrial, type Trial } from './propose.ts';

const Params = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const State = z.strictObject({
  /** What the qualities of these trials depend on besides the hyper-parameters. */
  subject: z.record(z.string(), z.union([z.number(), z.string()])),
  trials: z.record(
    z.string(),
    z.array(
      z.strictObject({
        params: Params,
        quality: z.number().nullable(),
        seconds: z.number().min(0),
        fault: z.string().exactOptional(),
      }),
    ),
  ),
});

export type TrialStore = {
  /** Trials of earlier runs, by model. */
  trialsOf: (model: string) => readonly Trial[];
  bestOf: (model: string) => Trial | undefined;
  /** Writes all trials of a model to `<out>.trials.json`, and each model's best hyper-parameters to `out`. */
  keep: (model: string, trials: readonly Trial[]) => Promise<void>;
};

/**
 * Opens the trials beside `out`. `subject` says what is searched: protocol, file, seed. UsageError where the trials that are
 * there are of another subject or cannot be understood, where nothing can be written, and where two write at once.
 */
export async function openTrialStore(
  out: string,
  subject: Readonly<Record<string, string | number>>,
): Promise<TrialStore> {
  const statePath = `${out}.trials.json`;
  await checkWritable(out);
  let known = await textOf(statePath);
  const trials = known === undefined ? {} : parseTrials(known, statePath, subject);
  return {
    trialsOf: (model) => trials[model] ?? [],
    bestOf: (model) => bestTrial(trials[model] ?? []),
    keep: async (model, all) => {
      trials[model] = [...all];
      if ((await textOf(statePath)) !== known)
        throw new UsageError(
          `Another search writes to ${statePath} at the same time. Start this one again when it has ended, or name another --out.`,
        );
      known = await write(statePath, { subject, trials });
      const best = Object.entries(trials).flatMap(([name, tried]) => {
        const { params } = bestTrial(tried) ?? {};
        return params === undefined ? [] : [[name, params]];
      });
      await write(out, Object.fromEntries(best));
    },
  };
}

async function checkWritable(out: string): Promise<void> {
  try {
    if ((await stat(out).catch(() => undefined))?.isDirectory()) throw new Error('it is a folder');
    await access(dirname(out), constants.W_OK);
  } catch (err) {
    throw notWritable(out, err);
  }
}

/** Answers the text that is in the file from now on. */
async function write(path: string, content: unknown): Promise<string> {
  const text = `${JSON.stringify(content, undefined, 2)}\n`;
  try {
    await writeAtomically(path, (temporary) => writeFile(temporary, text));
  } catch (err) {
    throw notWritable(path, err);
  }
  return text;
}

function notWritable(path: string, cause: unknown): UsageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UsageError(`${path} cannot be written: ${reason}. Name another --out.`, { cause });
}

/** undefined: there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
}

function parseTrials(
  text: string,
  path: string,
  subject: Readonly<Record<string, string | number>>,
): Record<string, Trial[]> {
  const cure = 'Name another --out, or delete the file to begin anew.';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is no JSON. ${cure}`, { cause });
  }
  const state = State.safeParse(json);
  if (!state.success)
    throw new UsageError(`${path} does not hold trials:\n${z.prettifyError(state.error)}\n${cure}`);
  const differing = Object.keys(subject).filter((key) => state.data.subject[key] !== subject[key]);
  if (differing.length > 0)
    throw new UsageError(
      `${path} holds trials of another search: ${differing
        .map((key) => `${key} was ${state.data.subject[key]} and is ${subject[key]}`)
        .join(', ')}. ${cure}`,
    );
  return state.data.trials;
}
