import { trainCollaborative } from '../collaborative/train-collaborative.ts';
import type { JobHandler } from './job.ts';

export const trainCollaborativeJob: JobHandler = (payload, context) =>
  trainCollaborative({
    lake: context.lake,
    modelsDir: context.config.modelsDir,
    ...(payload.cutoff !== undefined && { cutoff: payload.cutoff }),
    seed: payload.seed,
    now: context.now(),
    random: context.random,
    log: context.log,
    report: context.report,
  });
