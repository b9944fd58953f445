/** Shows a job's progress until it ends, then what came out of it. */
import type { JobStatus } from '../domain/job.ts';
import type { JobQueue } from '../infra/job-queue.ts';
import type { Output } from './output.ts';
import { showProgress } from './progress.ts';

export async function followJob(queue: JobQueue, jobId: string, output: Output): Promise<JobStatus> {
  const display = showProgress(jobId);
  let status: JobStatus;
  try {
    status = await queue.waitFor(jobId, display.report);
  } finally {
    display.stop();
  }
  const outcome = {
    job: status.job,
    jobId,
    state: status.state,
    attempts: status.attempts,
    ...(status.error !== undefined && { error: status.error }),
    ...status.result,
  };
  output.result(outcome, describe(status));
  return status;
}

function describe({ job, state, error, result }: JobStatus): string {
  if (state === 'failed') return `${job} failed: ${error}`;
  const outcome =
    result?.published === undefined
      ? 'done'
      : result.published
        ? `published ${result.version}`
        : 'not published';
  const metrics = Object.entries(result?.metrics ?? {}).map(
    ([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toPrecision(4)}`,
  );
  // The gate's reason names the figures that count; `models list --json` has them all.
  return [`${job}: ${outcome}`, result?.reason ?? metrics.join(', ')].filter(Boolean).join('\n  ');
}
