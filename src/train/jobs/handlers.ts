/** Every job's handler. A name without one does not compile. */
import type { JobName, JobResult } from '../../domain/job.ts';
import { trainChurn } from '../churn/train-churn.ts';
import { trainCollaborative } from '../collaborative/train-collaborative.ts';
import { updateCollaborative } from '../collaborative/update-collaborative.ts';
import { checkDriftJob } from '../drift/check-drift.ts';
import type { KernelTraining } from '../training.ts';
import { trainCustomerValue } from '../value/train-customer-value.ts';
import type { JobHandler } from './job.ts';
import { refreshFeaturesJob } from './refresh-features.ts';
import { scoreCustomersJob } from './score-customers.ts';
import { trainOffersJob } from './train-offers.ts';
import { trainingOf } from './training-of.ts';

export const HANDLERS = {
  'refresh-features': refreshFeaturesJob,
  'score-customers': scoreCustomersJob,
  'check-drift': checkDriftJob,
  'train-collaborative': trainingJob(trainCollaborative),
  'update-collaborative': trainingJob(updateCollaborative),
  'train-churn': trainingJob(trainChurn),
  'train-customer-value': trainingJob(trainCustomerValue),
  'train-offers': trainOffersJob,
} as const satisfies Record<JobName, JobHandler>;

function trainingJob(train: (training: KernelTraining) => Promise<JobResult>): JobHandler {
  return (payload, context) => train({ ...trainingOf(payload, context), kernels: context.kernels });
}
