/** `nextbest start`: service and worker of a small shop, on what `nextbest import` has put into the lake. */
import { Command } from 'commander';
import { readServiceConfig } from '../infra/config.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { connectRedis } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { outputOf } from './output.ts';
import { processCount, tellNothingToReplace } from './process-count.ts';
import { startProcessGroup } from './process-group.ts';

export const startCommand = (): Command =>
  new Command('start')
    .description('run the service and the worker together, for a small shop')
    .option('--processes <n>', 'of the service, which share its address', processCount, 1)
    .action(async ({ processes }: { processes: number }, command: Command) => {
      const output = outputOf(command);
      const config = readServiceConfig(process.env);
      const log = createLogger(config.logLevel, 'start');
      const shutdown = new Shutdown(log);
      shutdown.onSignals();
      const redis = await openRedis(config, log);
      shutdown.add('redis', redis.release);
      // A connection of our own keeps a private Redis up until both processes have ended.
      const keeper = connectRedis(redis.url, 'start', { kind: 'patient' }, log);
      shutdown.add('redis client', () => keeper.disconnect());
      const group = startProcessGroup(log, process.env, processes);
      shutdown.add('service and worker', group.stop);
      process.on('SIGUSR2', () => {
        if (!group.replaceService()) tellNothingToReplace(log);
      });
      try {
        const url = await Promise.race([group.url, group.failed]);
        output.result({ url }, `Listening on ${url}. Ctrl-C stops everything.`);
        await group.failed;
      } finally {
        await shutdown.close();
      }
    });
