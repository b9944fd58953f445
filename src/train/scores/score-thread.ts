/**
 * A thread that scores batches of customers, with a connection to Redis and models of its own. Each `ScoreRequest` is
 * answered by a `ScoreReply` of its number, in whatever order; the first answer of all says that it is ready.
 */
import { parentPort, workerData } from 'node:worker_threads';
import '../../domain/fault-sentences.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { lookAtRisks } from '../webhooks/look-at-risks.ts';
import { createBatchScorer, type ScoredBatch } from './score-customers.ts';
import type { ScoreThreadData } from './score-pool.ts';
import { versionOfChurn, versionOfCustomerValue } from './served-models.ts';

export type ScoreRequest = { request: number; customerIds: readonly CustomerId[] };
export type ScoreReply =
  | { ready: true }
  | { request: number; batch: ScoredBatch }
  | { request: number; error: unknown };

const data = workerData as ScoreThreadData;
const { modelsDir, versions, now, riskAbove } = data;
const keys = createKeys(data.keyPrefix);
const redis = connectRedis(
  data.redisUrl,
  'scores',
  { kind: 'patient' },
  createLogger(data.logLevel, 'score'),
);
const churn = versions.churn === null ? undefined : await versionOfChurn(modelsDir, versions.churn);
const value =
  versions.customerValue === null
    ? undefined
    : await versionOfCustomerValue(modelsDir, versions.customerValue);
const score = createBatchScorer({
  records: createRecordStore(redis, keys),
  models: { churn, value },
  now,
  ...(churn !== undefined &&
    riskAbove !== null && {
      onScored: (scored) => lookAtRisks({ redis, keys, bound: riskAbove, now }, churn, scored),
    }),
});

parentPort?.on('message', ({ request, customerIds }: ScoreRequest) => {
  score(customerIds).then(
    (batch) => reply({ request, batch }, [batch.numbers.buffer as ArrayBuffer]),
    (error) => reply({ request, error }),
  );
});
reply({ ready: true });

function reply(message: ScoreReply, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}
