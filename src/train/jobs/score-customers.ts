import { availableParallelism } from 'node:os';
import { UnrecoverableError } from 'bullmq';
import { newModelVersion } from '../../infra/model-store.ts';
import { scoreEverybody } from '../scores/score-everybody.ts';
import { openScorePool } from '../scores/score-pool.ts';
import { servedChurn, servedCustomerValue, whyUnreadable } from '../scores/served-models.ts';
import type { JobHandler } from './job.ts';

/** Beyond, Redis and the writing of the files are what there is to wait for. */
const threadsMax = 4;

/** Scores every customer as of now, for `GET /customers`, and tells the CRM of those whose risk has crossed the bound. */
export const scoreCustomersJob: JobHandler = async (payload, context) => {
  const { config, lake, log, now, random, report } = context;
  // Records are those of now, and so are scores.
  if (payload.cutoff !== undefined) throw new UnrecoverableError('score-customers takes no cutoff');
  await report(0, 'loading the models');
  const churn = await servedChurn(config.modelsDir, log);
  const value = await servedCustomerValue(config.modelsDir, log);
  const unreadable = [
    churn === undefined ? await whyUnreadable(config.modelsDir, 'churn') : undefined,
    value === undefined ? await whyUnreadable(config.modelsDir, 'customer-value') : undefined,
  ].filter((why) => why !== undefined);
  const reason = unreadable.length > 0 ? unreadable.join('; ') : undefined;
  if (churn === undefined && value === undefined)
    return {
      job: 'score-customers',
      reason: reason ?? 'no model is served to score with: train-churn and train-customer-value make them',
      metrics: {},
    };
  // The sandbox refuses a job without it.
  if (config.redisUrl === undefined) throw new UnrecoverableError('score-customers needs REDIS_URL');
  const at = now();
  const versions = { churn: churn?.version ?? null, customerValue: value?.version ?? null };
  const pool = await openScorePool(config.kernelThreads ?? Math.min(threadsMax, availableParallelism()), {
    redisUrl: config.redisUrl,
    keyPrefix: config.keyPrefix,
    logLevel: config.logLevel,
    modelsDir: config.modelsDir,
    versions,
    now: at,
    riskAbove: config.webhooks?.riskAbove ?? null,
  });
  const { snapshot, withoutRecord, crossings } = await scoreEverybody({
    lake,
    dataDir: config.dataDir,
    score: pool.score,
    inFlight: 2 * pool.threads,
    versions,
    id: newModelVersion(at, random),
    now: at,
    report: (share) => report(share, 'scoring customers'),
  }).finally(pool.close);
  await report(1, 'customers are scored');
  const seconds = (now() - at) / 1000;
  log.info(
    { event: 'scores.written', snapshot: snapshot.id, customers: snapshot.customers, withoutRecord, seconds },
    'every customer is scored',
  );
  return {
    job: 'score-customers',
    ...(reason !== undefined && { reason }),
    metrics: { customers: snapshot.customers, withoutRecord, crossings, seconds },
  };
};
