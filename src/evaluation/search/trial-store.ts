/** Keeps every trial of a search in a file, so that the search goes on where it was stopped, and the best of them in another. */
import { readFile, writeFile } from 'node:fs/promises';
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
 * there are of another subject, or cannot be understood.
 */
export async function openTrialStore(
  out: string,
  subject: Readonly<Record<string, string | number>>,
): Promise<TrialStore> {
  const statePath = `${out}.trials.json`;
  const trials = await readTrials(statePath, subject);
  const write = (path: string, content: unknown) =>
    writeAtomically(path, (temporary) => writeFile(temporary, `${JSON.stringify(content, undefined, 2)}\n`));
  return {
    trialsOf: (model) => trials[model] ?? [],
    bestOf: (model) => bestTrial(trials[model] ?? []),
    keep: async (model, all) => {
      trials[model] = [...all];
      await write(statePath, { subject, trials });
      const best = Object.entries(trials).flatMap(([name, tried]) => {
        const { params } = bestTrial(tried) ?? {};
        return params === undefined ? [] : [[name, params]];
      });
      await write(out, Object.fromEntries(best));
    },
  };
}

async function readTrials(
  path: string,
  subject: Readonly<Record<string, string | number>>,
): Promise<Record<string, Trial[]>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw err;
  }
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
