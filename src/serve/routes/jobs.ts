/** Work for the worker: ask for it, watch it. */

import { z } from 'zod';
import { AppError, type Fault } from '../../domain/errors.ts';
import { JobName, JobPayload, JobState, JobStatus } from '../../domain/job.ts';
import { earliestMs } from '../../domain/time.ts';
import type { Deps } from '../deps.ts';
import { defineRoute } from '../route.ts';

const JobRequest = JobPayload.extend({
  job: JobName,
  /** Run it again even where a job up to the same cut-off has completed. */
  force: z.boolean().default(false),
}).meta({ id: 'JobRequest' });
const Job = JobStatus.meta({ id: 'Job' });

const tags = ['jobs'] as const;

function cutoffFaults(
  { job, cutoff }: Partial<z.output<typeof JobRequest>>,
  { now }: Pick<Deps, 'now'>,
): Fault[] {
  if (cutoff === undefined) return [];
  const faults: string[] = [];
  if (job === 'refresh-features' || job === 'score-customers') {
    faults.push(`is not taken by ${job}: records are those of today`);
  }
  if (cutoff < earliestMs) {
    faults.push('must be milliseconds since 1970, and not before the year 1990');
  }
  if (cutoff > now()) faults.push('must not be in the future; leave it out to train on everything');
  return faults.map((message) => ({ path: 'body.cutoff', message }));
}

export const jobRoutes = [
  defineRoute({
    method: 'POST',
    path: '/jobs',
    scope: 'admin',
    summary: 'Ask the worker to train or to rebuild records',
    description:
      'A second click is the same job: while it waits or runs, the answer names the one that is there.',
    tags,
    body: JobRequest,
    responses: { 202: z.object({ jobId: z.string(), state: JobState }) },
    problems: [413, 415, 503],
    check: ({ body }, deps) => cutoffFaults(body, deps),
    handler: async ({ body: { job, force, ...payload } }, deps) => {
      const queued = await deps.jobs.enqueue(job, payload, { force });
      return {
        status: 202,
        body: queued,
        headers: { location: `/jobs/${encodeURIComponent(queued.jobId)}` },
      };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/jobs',
    scope: 'read',
    summary: 'The newest hundred jobs, newest first',
    tags,
    responses: { 200: z.object({ jobs: z.array(Job), workers: z.int() }) },
    problems: [503],
    handler: async (_input, deps) => ({
      status: 200,
      body: { jobs: await deps.jobs.list(), workers: await deps.jobs.workersCount() },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/jobs/{jobId}',
    scope: 'read',
    summary: 'One job: its state, progress and result',
    tags,
    params: z.strictObject({ jobId: z.string().min(1).max(200) }),
    responses: { 200: Job },
    problems: [404, 503],
    handler: async ({ params: { jobId } }, deps) => {
      const status = await deps.jobs.get(jobId);
      if (status === undefined) throw new AppError('NOT_FOUND', { public: 'There is no such job.' });
      return { status: 200, body: status };
    },
  }),
];
