import { trainChurn } from '../churn/train-churn.ts';
import type { JobHandler } from './job.ts';

export const trainChurnJob: JobHandler = (payload, context) =>
  trainChurn({
    lake: context.lake,
    modelsDir: context.config.modelsDir,
    ...(payload.cutoff !== undefined && { cutoff: payload.cutoff }),
    seed: payload.seed,
    now: context.now(),
    random: context.random,
    log: context.log,
    report: context.report,
  });
