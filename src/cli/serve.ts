/** `nextbest serve`: the HTTP service. */
import { Command } from 'commander';
import { readConfig } from '../infra/config.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { startService } from '../serve/server.ts';
import { outputOf } from './output.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('Answers recommendations, offers and events over HTTP, until it is stopped.')
    .action(async (_options, command: Command) => {
      const output = outputOf(command);
      const config = readConfig(process.env);
      const log = createLogger(config.logLevel, 'serve');
      const shutdown = new Shutdown(log);
      try {
        const redisPlace = await openRedis(config, log);
        shutdown.add('redis', redisPlace.release);
        const service = await startService({ config, redisPlace, log });
        shutdown.add('service', service.close);
        // Not before: a signal during the start ends the process, and nothing has been promised yet.
        shutdown.onSignals();
        log.info({ event: 'serve.listening', url: service.url }, `listening on ${service.url}`);
        output.result(
          { url: service.url, ...(service.metricsUrl && { metricsUrl: service.metricsUrl }) },
          `nextbest serves on ${service.url} (its API: ${service.url}/docs)`,
        );
      } catch (err) {
        await shutdown.close();
        throw err;
      }
    });
}
