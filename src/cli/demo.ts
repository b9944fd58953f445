/**
 * `nextbest demo`: a simulated shop from nothing to live answers. Each step is skipped when its outcome is already in
 * `DATA_DIR` or `MODELS_DIR`, so that a second start goes on where the first one stopped. It answers while it trains.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import type { JobName } from '../domain/job.ts';
import { MODEL_NAMES, type ModelManifest, type ModelName } from '../domain/manifest.ts';
import { FEATURE_SCHEMA, RECORD_SCHEMA } from '../features/registry.ts';
import { markAsDemo } from '../history/demo-mark.ts';
import { importFiles } from '../history/import/import-files.ts';
import { type Lake, listParts, openLake } from '../history/lake.ts';
import { readSnapshot } from '../history/score-snapshots.ts';
import { type Config, readServiceConfig } from '../infra/config.ts';
import { createJobQueue, type JobQueue } from '../infra/job-queue.ts';
import { createKeys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { type ListedModel, listModels } from '../infra/model-store.ts';
import { openRedis } from '../infra/open-redis.ts';
import { connectRedis } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import type { SimulationOptions } from '../simulation/options.ts';
import { simulateIntoFolder } from '../simulation/output-folder.ts';
import { followJob } from './follow-job.ts';
import { type Output, outputOf } from './output.ts';
import { startProcessGroup } from './process-group.ts';
import { showProgress } from './progress.ts';
import { parseSimulationFlags, type SimulationFlags } from './simulate.ts';

export const demoCommand = (): Command =>
  new Command('demo')
    .description('simulate a shop, import it, train, and serve it: from nothing to live answers')
    .option('--customers <n>', 'customers of the simulated shop (default: 3000)')
    .option('--items <n>', 'its products (default: 500)')
    .option('--days <n>', 'days of its history (default: 540)')
    .option('--seed <n>', 'another seed is another shop (default: 1)')
    .action(async (flags: SimulationFlags, command: Command) => {
      const output = outputOf(command);
      const simulation = parseSimulationFlags(flags, Date.now());
      const config = readServiceConfig({ ...process.env, AUTH: 'off' });
      // The steps tell the story; the processes' own remarks would stand between.
      const logLevel = config.logLevel === 'info' ? 'error' : config.logLevel;
      const log = createLogger(logLevel, 'demo');
      const shutdown = new Shutdown(log);
      shutdown.onSignals();
      try {
        const place = await openRedis(config, log);
        shutdown.add('redis', place.release);
        if (!place.durable) {
          output.say(
            'There is no redis-server here: Valkey in WebAssembly stands in, which keeps nothing on disk.',
          );
        }
        const redis = connectRedis(place.url, 'demo', { kind: 'patient' }, log);
        shutdown.add('redis client', () => redis.disconnect());
        await fillLake(config, simulation, output);

        const group = startProcessGroup(log, { ...process.env, AUTH: 'off', LOG_LEVEL: logLevel });
        shutdown.add('service and worker', group.stop);
        const keys = createKeys(config.keyPrefix);
        const queue = createJobQueue(place.queueUrl, keys, log);
        shutdown.add('job queue', queue.close);
        const built = (await redis.get(keys.recordsBuilt)) === RECORD_SCHEMA;
        const untrained = await whatIsUntrained(config, built);
        // Without catalogue and customers there is nothing to answer by.
        if (!built) await Promise.race([runAll(['refresh-features'], queue, output), group.failed]);
        const url = await Promise.race([group.url, group.failed]);
        if (untrained.length > 0)
          output.result(
            { url, untrained },
            `The shop answers at ${url} (its API: ${url}/docs), and will do better once this is done: ${untrained.join(', ')}.`,
          );
        await Promise.race([runAll(untrained, queue, output), group.failed]);

        const customerId = await busyCustomer(config);
        output.result({ url, customerId }, await farewell(config, url, customerId));
        await group.failed;
      } finally {
        await shutdown.close();
      }
    });

/** Simulates and imports, unless the lake has events already. */
async function fillLake(config: Config, simulation: SimulationOptions, output: Output): Promise<void> {
  if (await withLake(config, async (lake) => (await listParts(lake, 'events')).length > 0)) {
    output.say(`Going on with the shop in ${config.dataDir}.`);
    return;
  }
  const folder = join(config.dataDir, 'simulated');
  const simulating = showProgress('simulate');
  await simulateIntoFolder(simulation, folder, (share, events) =>
    simulating.report({ share, stage: `${events} events` }),
  ).finally(simulating.stop);

  await markAsDemo(config.dataDir);
  const importing = showProgress('import');
  const report = await importFiles({
    dataDir: config.dataDir,
    currency: config.currency,
    preset: 'nextbest',
    paths: ['items', 'offers', 'customers', 'events', 'decisions'].map((name) =>
      join(folder, `${name}.ndjson`),
    ),
    now: Date.now(),
    onProgress: importing.report,
    say: output.say,
  }).finally(importing.stop);
  output.result(
    { rowsRead: report.rowsRead, accepted: report.accepted, rejected: report.rejected },
    `Imported ${report.accepted} of ${report.rowsRead} rows into ${join(config.dataDir, 'lake')}.`,
  );
}

/** The jobs, beside that which builds the records, whose outcome is not there yet or is of another version. */
async function whatIsUntrained(config: Config, recordsBuilt: boolean): Promise<JobName[]> {
  // What its gate has kept in the shadow has been trained: the same log would be judged the same again.
  const trained = new Set((await usableModels(config)).map(({ manifest }) => manifest.name));
  const jobs: JobName[] = MODEL_NAMES.filter((name) => !trained.has(name)).map(
    (name) => `train-${name}` as const,
  );
  // So that there is a list for a CRM: of the models of now.
  if (!recordsBuilt || jobs.length > 0 || (await readSnapshot(config.dataDir)) === undefined)
    jobs.push('score-customers');
  return jobs;
}

/** One after the other; each tells what came of it, so how good the models are. */
async function runAll(jobs: readonly JobName[], queue: JobQueue, output: Output): Promise<void> {
  const asked: string[] = [];
  for (const job of jobs) asked.push((await queue.enqueue(job, {})).jobId);
  for (const jobId of asked) {
    const { state, error } = await followJob(queue, jobId, output);
    if (state === 'failed') throw new Error(`${jobId} failed: ${error}`);
  }
}

/** Without those of another version's features, which the service would refuse: the demo trains them anew. */
async function usableModels(config: Config): Promise<ListedModel[]> {
  return (await listModels(config.modelsDir)).filter(
    ({ manifest: { featureSchema } }) => featureSchema === null || featureSchema === FEATURE_SCHEMA,
  );
}

async function servedModels(config: Config): Promise<ModelManifest[]> {
  return (await usableModels(config)).filter(({ current }) => current).map(({ manifest }) => manifest);
}

/** A customer with something to say: the one of the latest purchase among those with ten orders or more. */
function busyCustomer(config: Config): Promise<string> {
  return withLake(config, async (lake) => {
    const found = await lake.connection.runAndReadAll(
      `SELECT customerId FROM ${lake.from('events')} WHERE type = 'purchase' AND customerId IS NOT NULL
       GROUP BY customerId ORDER BY count(DISTINCT eventId) >= 10 DESC, max(occurredAt) DESC, customerId LIMIT 1`,
    );
    return String(found.getRowsJson()[0]?.[0]);
  });
}

async function withLake<T>(config: Config, use: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLake(config.dataDir);
  try {
    return await use(lake);
  } finally {
    lake.close();
  }
}

const percent = (value: number | undefined) => (value === undefined ? '?' : `${(100 * value).toFixed(1)} %`);
const decimals = (value: number | undefined) => value?.toFixed(3) ?? '?';

function figures({ name, metrics }: ModelManifest): string {
  const lines: Record<ModelName, string> = {
    collaborative:
      `Recommendations, on the last weeks of the log: recall@10 ${percent(metrics.recallAt10)}, NDCG@10 ` +
      `${decimals(metrics.ndcgAt10)}; collaborative filtering alone ${percent(metrics.ialsRecallAt10)}, ` +
      `${decimals(metrics.ialsNdcgAt10)}; popularity ${percent(metrics.popularityRecallAt10)}, ` +
      `${decimals(metrics.popularityNdcgAt10)}.`,
    churn:
      `Churn risk, on a later cut-off: AUC ${decimals(metrics.auc)} (recency alone: ${decimals(metrics.recencyAuc)}; ` +
      'base rate: 0.500).',
    'customer-value':
      `Customer value, on the last third of the log: expected and actual purchases correlate at ` +
      `${decimals(metrics.correlation)}; forecast margin ${percent(metrics.totalRatio)} of what came.`,
    offers:
      `Offers, on later decisions: ${decimals(metrics.value)} minor units a decision, ` +
      `${decimals(metrics.overNothing)} more than by offering nothing; AUC of redemption ${decimals(metrics.acceptanceAuc)}.`,
  };
  return lines[name];
}

async function farewell(config: Config, url: string, customerId: string): Promise<string> {
  const question = `${url}/recommendations?customerId=${customerId}&n=5`;
  const { items } = (await (await fetch(question)).json()) as { items: { itemId: string }[] };
  const event = {
    type: 'purchase',
    customerId,
    channel: 'web',
    lines: [{ itemId: items[0]?.itemId, quantity: 1 }],
  };
  const offer = { customerId, channel: 'web' };
  const json = "-H 'content-type: application/json'";
  return [
    '',
    ...(await servedModels(config)).map(figures),
    '',
    `The shop is open at ${url} (its API: ${url}/docs). Try:`,
    '',
    `  curl -s '${question}'`,
    `  curl -s ${url}/offers/decide ${json} -d '${JSON.stringify(offer)}'`,
    `  curl -s ${url}/events ${json} -d '${JSON.stringify(event)}'`,
    '',
    'Whoever is on this machine may ask: the demo needs no API key. `nextbest start` does.',
    'The last one buys what is recommended first: ask for the recommendations again, and they have changed.',
    'Ctrl-C stops everything.',
  ].join('\n');
}
