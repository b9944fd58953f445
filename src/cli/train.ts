/** `nextbest train`: asks the worker to train, shows how it is doing and what came out. */
import { Command, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { JOB_NAMES, JobName, type JobPayload } from '../domain/job.ts';
import { readConfig } from '../infra/config.ts';
import { createJobQueue } from '../infra/job-queue.ts';
import { createKeys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { startWorker } from '../train/worker.ts';
import { followJob } from './follow-job.ts';
import { outputOf } from './output.ts';
import { timeOf } from './time-flag.ts';
import { whatIsMissing } from './what-is-missing.ts';

/** Records first: the models are judged by what the service will read. */
const defaultJobs: readonly JobName[] = [
  'refresh-features',
  'train-collaborative',
  'train-churn',
  // Its bands of risk are those of the churn model before it.
  'train-customer-value',
  'train-offers',
  'score-customers',
];

type Options = { cutoff?: string; force?: boolean };

export const trainCommand = (): Command =>
  new Command('train')
    .description('rebuild records and train models; publishes what beats its baseline')
    .argument('[job...]', `any of ${JOB_NAMES.join(', ')} (default: all)`)
    .addOption(new Option('--cutoff <time>', 'train on events before this instant only (ISO 8601)'))
    .addOption(new Option('--force', 'run again what has been done up to the same cut-off'))
    .action(async (names: string[], options: Options, command: Command) => {
      const output = outputOf(command);
      const jobs = names.length === 0 ? defaultJobs : [...new Set(names.map(parseJob))];
      const cutoff = timeOf('--cutoff', options.cutoff);
      const config = readConfig(process.env);
      // The story of a run is told by its bars; lines of JSON between them would spoil both.
      const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
      const log = createLogger(logLevel, 'train');
      const shutdown = new Shutdown(log);
      shutdown.onSignals();
      try {
        const redis = await openRedis(config, log);
        shutdown.add('redis', redis.release);
        const queue = createJobQueue(redis.queueUrl, createKeys(config.keyPrefix), log);
        shutdown.add('job queue', queue.close);
        if ((await queue.workersCount()) === 0) {
          // Its metrics would be gone before anybody asked for them.
          const worker = await startWorker({
            config,
            env: { ...process.env, LOG_LEVEL: logLevel },
            redis,
            log,
          });
          shutdown.add('worker', worker.close);
        }
        const ids: string[] = [];
        for (const job of jobs) {
          const { jobId } = await queue.enqueue(job, payloadOf(job, cutoff), {
            force: options.force === true,
          });
          ids.push(jobId);
        }
        for (const id of ids) {
          if ((await followJob(queue, id, output)).state === 'failed') process.exitCode = 1;
        }
        const missing = await whatIsMissing(config.modelsDir);
        if (missing !== undefined && jobs.some((job) => job.startsWith('train-'))) output.say(missing);
      } finally {
        await shutdown.close();
      }
    });

/** Records and scores are always those of now. */
function payloadOf(job: JobName, cutoff: number | undefined): Partial<JobPayload> {
  return cutoff === undefined || job === 'refresh-features' || job === 'score-customers' ? {} : { cutoff };
}

function parseJob(text: string): JobName {
  const parsed = JobName.safeParse(text);
  if (!parsed.success) throw new UsageError(`There is no job "${text}"; jobs are ${JOB_NAMES.join(', ')}.`);
  return parsed.data;
}
