/** Every job's handler. A name without one does not compile. */
import type { JobName } from '../../domain/job.ts';
import type { JobHandler } from './job.ts';
import { refreshFeaturesJob } from './refresh-features.ts';
import { trainChurnJob } from './train-churn.ts';
import { trainCollaborativeJob } from './train-collaborative.ts';

export const HANDLERS = {
  'refresh-features': refreshFeaturesJob,
  'train-collaborative': trainCollaborativeJob,
  'train-churn': trainChurnJob,
} as const satisfies Record<JobName, JobHandler>;
