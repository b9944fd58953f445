/** Hyper-parameters by model, as `nextbest tune` writes and `nextbest evaluate ranking --params` reads them. */
import { z } from 'zod';
import { UsageError } from '../domain/errors.ts';
import { readText } from './input/read-text.ts';
import type { Params } from './search/space.ts';

export type ParamsByModel = Readonly<Record<string, Params>>;

const Value = z.union([z.number(), z.string(), z.boolean()]);
const File = z.record(z.string(), z.record(z.string(), Value));

type Tunable = { name: string; params: z.ZodType<Params> };

/**
 * What the file says of each model, with defaults for what it leaves out. UsageError where it cannot be read, names a model
 * that is none of `models`, or a hyper-parameter that its model does not have or take.
 */
export async function readParams(path: string, models: readonly Tunable[]): Promise<ParamsByModel> {
  const given = parseFile(path, await textOf(path));
  const faults: string[] = [];
  const read: Record<string, Params> = {};
  for (const [name, params] of Object.entries(given)) {
    const model = models.find((one) => one.name === name);
    if (model === undefined) {
      faults.push(
        `there is no model ${name} in this protocol; there are ${models.map((one) => one.name).join(', ')}`,
      );
      continue;
    }
    const parsed = model.params.safeParse(params);
    if (parsed.success) read[name] = parsed.data;
    else
      faults.push(
        ...parsed.error.issues.map((issue) => [name, ...issue.path].join('.').concat(`: ${issue.message}`)),
      );
  }
  if (faults.length > 0) throw new UsageError(`${path}: ${faults.join('; ')}.`);
  return read;
}

/** The model's hyper-parameters of the file, or its defaults. */
export function paramsOf(model: Tunable, given: ParamsByModel): Params {
  return given[model.name] ?? model.params.parse({});
}

function parseFile(path: string, text: string): z.output<typeof File> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const parsed = File.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `${path} is not of the form {"model": {"hyperParameter": value, …}, …}:\n${z.prettifyError(parsed.error)}`,
  );
}

async function textOf(path: string): Promise<string> {
  let text = '';
  for await (const piece of readText(path)) text += piece;
  return text;
}
