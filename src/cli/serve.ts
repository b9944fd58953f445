/** `nextbest serve`: the HTTP service, in one process or several. */
import cluster from 'node:cluster';
import { Command } from 'commander';
import { type Config, readServiceConfig } from '../infra/config.ts';
import { createLogger, type Logger } from '../infra/logger.ts';
import { serveMetrics } from '../infra/metrics-server.ts';
import { openRedis } from '../infra/open-redis.ts';
import { metricsOfAllProcesses } from '../infra/process-metrics.ts';
import { connectRedis } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { urlOf } from '../serve/http/listen.ts';
import { startService } from '../serve/server.ts';
import { type Output, outputOf } from './output.ts';
import { processCount, tellNothingToReplace } from './process-count.ts';
import { startServeProcesses } from './serve-processes.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('answer recommendations, offers and events over HTTP, until it is stopped')
    .option('--processes <n>', 'that share the address; one for each core that is to answer', processCount, 1)
    .action(async ({ processes }: { processes: number }, command: Command) => {
      const output = outputOf(command);
      const config = readServiceConfig(process.env);
      const log = createLogger(config.logLevel, 'serve');
      const shutdown = new Shutdown(log);
      try {
        if (processes > 1) await serveInProcesses(processes, config, log, shutdown, output);
        else await serveHere(config, log, shutdown, output);
      } catch (err) {
        await shutdown.close();
        throw err;
      }
    });
}

async function serveHere(config: Config, log: Logger, shutdown: Shutdown, output: Output): Promise<void> {
  const redisPlace = await openRedis(config, log);
  shutdown.add('redis', redisPlace.release);
  process.on('SIGUSR2', () => tellNothingToReplace(log));
  let tellLast: (() => Promise<void>) | undefined;
  shutdown.add('metrics', () => tellLast?.());
  const service = await startService({
    config,
    redisPlace,
    log,
    ...(cluster.isWorker && {
      metricsSource: (registry) => {
        const source = metricsOfAllProcesses(registry);
        tellLast = source.tellLast;
        return source;
      },
    }),
  });
  shutdown.add('service', service.close);
  // Not before: a signal during the start ends the process, and nothing has been promised yet.
  shutdown.onSignals();
  log.info({ event: 'serve.listening', url: service.url }, `listening on ${service.url}`);
  tell(output, service.url, service.metricsUrl);
}

async function serveInProcesses(
  count: number,
  config: Config,
  log: Logger,
  shutdown: Shutdown,
  output: Output,
): Promise<void> {
  shutdown.onSignals();
  const tooEarly = () => tellNothingToReplace(log);
  process.on('SIGUSR2', tooEarly);
  const redisPlace = await openRedis(config, log);
  shutdown.add('redis', redisPlace.release);
  // A connection of our own keeps a private Redis up until all processes have ended.
  const keeper = connectRedis(redisPlace.url, 'serve-processes', { kind: 'patient' }, log);
  shutdown.add('redis client', () => keeper.disconnect());
  const processes = startServeProcesses(count, log, { METRICS_PORT: '' });
  shutdown.add('processes', processes.stop);
  const port = await Promise.race([processes.port, processes.failed]);
  process.off('SIGUSR2', tooEarly);
  process.on('SIGUSR2', () => void processes.replaceAll());
  let metricsUrl: string | undefined;
  if (config.metricsPort !== undefined) {
    const address = { host: config.host, port: config.metricsPort, setting: 'METRICS_PORT' };
    const server = await serveMetrics(processes.metrics, () => true, address, log);
    shutdown.add('metrics', server.close);
    metricsUrl = server.url;
  }
  const url = urlOf(config.host, port);
  log.info({ event: 'serve.listening', url, processes: count }, `${count} processes listen on ${url}`);
  tell(output, url, metricsUrl);
  await processes.failed;
}

function tell(output: Output, url: string, metricsUrl: string | undefined): void {
  output.result(
    { url, ...(metricsUrl && { metricsUrl }) },
    `nextbest serves on ${url} (its API: ${url}/docs)`,
  );
}
