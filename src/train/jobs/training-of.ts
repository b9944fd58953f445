/** What a training is given of its job. */
import type { JobPayload } from '../../domain/job.ts';
import type { Training } from '../training.ts';
import type { JobContext } from './job.ts';

export function trainingOf(
  { cutoff, seed }: JobPayload,
  { config, lake, now, random, log, report }: JobContext,
): Training {
  return {
    lake,
    modelsDir: config.modelsDir,
    dataDir: config.dataDir,
    discountRate: config.discountRate,
    ...(cutoff !== undefined && { cutoff }),
    seed,
    now: now(),
    random,
    log,
    report,
  };
}
