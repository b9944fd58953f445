/** What a training of any model is given, and how it ends: with a new version, or with too little to learn from. */
import type { Kernels } from '../algorithms/kernels/kernels.ts';
import type { JobName, JobResult } from '../domain/job.ts';
import type { ModelName } from '../domain/manifest.ts';
import type { Lake } from '../history/lake.ts';
import type { Logger } from '../infra/logger.ts';
import type { ModelArrays, ModelTables } from '../infra/model-files.ts';
import { type ModelDraft, newModelVersion, publishModel } from '../infra/model-store.ts';

export type Training = {
  lake: Lake;
  modelsDir: string;
  /** Yearly, at which money to come is discounted: 0.1 = 10 %. Absent: the default. */
  discountRate?: number;
  /** Where tuned hyper-parameters are looked for; absent: nowhere. */
  dataDir?: string;
  /** Only events before it are seen (milliseconds since 1970). */
  cutoff?: number;
  seed: number;
  /** Milliseconds since 1970. */
  now: number;
  /** Uniform in [0, 1); names the version. */
  random: () => number;
  log: Logger;
  report: (share: number, stage: string) => Promise<void> | void;
};

/** Of a model that is fitted on the numeric kernels. */
export type KernelTraining = Training & { kernels: Kernels };

/** Only events before it are seen: an accepted event may lie a day ahead, and is nothing to learn from yet. */
export function seenBefore({ cutoff, now }: Pick<Training, 'cutoff' | 'now'>): number {
  return Math.min(cutoff ?? now, now);
}

/** Publishes a trained model as a new version, which is served if its gate passed. */
export async function publishTrained(
  { modelsDir, now, random, log, report }: Training,
  draft: Omit<ModelDraft, 'version' | 'createdAt'>,
  { arrays, tables }: { arrays: ModelArrays; tables: ModelTables },
  job: JobName = `train-${draft.name}`,
): Promise<JobResult> {
  const { name, metrics, gate } = draft;
  const version = newModelVersion(now, random);
  const createdAt = new Date(now).toISOString();
  await publishModel(modelsDir, { ...draft, version, createdAt }, arrays, tables);
  log.info({ event: 'model.trained', model: name, version, published: gate.passed, ...metrics }, gate.reason);
  await report(1, gate.passed ? 'published' : 'not published');
  return {
    job,
    model: name,
    version,
    published: gate.passed,
    reason: gate.reason,
    metrics,
  };
}

/** Too little to learn from is an outcome, not a failure: the shop is young. */
export function notTrained(model: ModelName, reason: string): JobResult {
  return { job: `train-${model}`, model, published: false, reason, metrics: {} };
}
