/** The served model as an opponent: its recipe, fitted to what the candidate was fitted to, and merged as it merges. */
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { Logger } from '../../infra/logger.ts';
import { type Evaluation, evaluateCollaborative } from './evaluate.ts';
import { fitCollaborative } from './fit-model.ts';
import { loadServedModel } from './served-model.ts';
import { CollaborativeSettings } from './settings.ts';
import type { TestSet } from './test-set.ts';

/** What decides how a model answers, apart from its data. */
export type Recipe = { settings: CollaborativeSettings; ranking: 'linear' | 'network' | 'fusion' };

export type Champion = { version: string; evaluation: Evaluation } | { skipped: string };

/** As the manifest holds it: one text, since parameters are flat. */
export function writeRecipe(recipe: Recipe): string {
  return JSON.stringify(recipe);
}

/** The champion's figures on the customers of `set`, or why there are none. */
export async function judgeChampion(
  { kernels, modelsDir, seed, log }: { kernels: Kernels; modelsDir: string; seed: number; log: Logger },
  set: TestSet,
  recipe: Recipe,
  onProgress: (share: number) => void | Promise<void>,
): Promise<Champion> {
  const served = await loadServedModel({ modelsDir, log });
  if (served === undefined)
    return { skipped: 'no version is served yet, or none that can be read, to compare with' };
  const { version, parameters } = served.manifest;
  const known = readRecipe(parameters.recipe);
  if (known === undefined)
    return { skipped: `not compared with ${version}, which is served: its recipe is of an earlier kind` };
  if (writeRecipe(known) === writeRecipe(recipe))
    return { skipped: `not compared with ${version}, which is served: its recipe is the same` };
  const { ranker } = served.model;
  const sources = await fitCollaborative(kernels, set.train, known.settings, set.now, seed, (share) =>
    onProgress(0.7 * share),
  );
  // Its own ranker learned from weeks before those that it is judged on, as the candidate's did.
  const champion = ranker === undefined ? sources : { ...sources, ranker };
  const evaluation = await evaluateCollaborative(champion, set, (share) => onProgress(0.7 + 0.3 * share));
  return { version, evaluation };
}

/** The recipe of a manifest's parameter; undefined where it is none, or of an earlier kind. */
export function readRecipe(text: unknown): Recipe | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const { settings, ranking } = JSON.parse(text) as { settings?: unknown; ranking?: unknown };
    const parsed = CollaborativeSettings.safeParse(settings);
    if (!parsed.success || (ranking !== 'linear' && ranking !== 'network' && ranking !== 'fusion'))
      return undefined;
    return { settings: parsed.data, ranking };
  } catch {
    return undefined;
  }
}
