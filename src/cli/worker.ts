/** `nextbest worker`: trains models, moves events into the lake and keeps records right, until it is told to end. */
import { Command } from 'commander';
import { readConfig } from '../infra/config.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { startWorker } from '../train/worker.ts';
import { outputOf } from './output.ts';

export const workerCommand = (): Command =>
  new Command('worker')
    .description('run the worker: training jobs, and the way of events into the lake')
    .action(async (_options, command: Command) => {
      const output = outputOf(command);
      const config = readConfig(process.env);
      const log = createLogger(config.logLevel, 'worker');
      const shutdown = new Shutdown(log);
      shutdown.onSignals();
      try {
        const redis = await openRedis(config, log);
        shutdown.add('redis', redis.release);
        const worker = await startWorker({
          config,
          env: process.env,
          redis,
          log,
          metricsPort: config.workerMetricsPort,
        });
        shutdown.add('worker', worker.close);
        output.result(
          { worker: 'ready', metricsUrl: worker.metricsUrl },
          `The worker is ready; metrics at ${worker.metricsUrl}. Ctrl-C ends it.`,
        );
      } catch (err) {
        await shutdown.close();
        throw err;
      }
    });
