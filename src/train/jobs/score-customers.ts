import { UnrecoverableError } from 'bullmq';
import { createRecordStore } from '../../features/record-store.ts';
import { newModelVersion } from '../../infra/model-store.ts';
import { scoreEverybody } from '../scores/score-everybody.ts';
import { servedChurn, servedCustomerValue } from '../scores/served-models.ts';
import { lookAtRisks } from '../webhooks/look-at-risks.ts';
import type { JobHandler } from './job.ts';

/** Scores every customer as of now, for `GET /customers`, and tells the CRM of those whose risk has crossed the bound. */
export const scoreCustomersJob: JobHandler = async (payload, context) => {
  const { config, redis, keys, lake, log, now, random, report } = context;
  // Records are those of now, and so are scores.
  if (payload.cutoff !== undefined) throw new UnrecoverableError('score-customers takes no cutoff');
  await report(0, 'loading the models');
  const churn = await servedChurn(config.modelsDir, log);
  const value = await servedCustomerValue(config.modelsDir, log);
  if (churn === undefined && value === undefined)
    return {
      job: 'score-customers',
      reason: 'no model is served to score with: train-churn and train-customer-value make them',
      metrics: {},
    };
  const at = now();
  const bound = config.webhooks?.riskAbove;
  let crossings = 0;
  const { snapshot, withoutRecord } = await scoreEverybody({
    lake,
    records: createRecordStore(redis, keys),
    dataDir: config.dataDir,
    models: { churn: churn?.model, value: value?.model },
    versions: { churn: churn?.version ?? null, customerValue: value?.version ?? null },
    id: newModelVersion(at, random),
    now: at,
    report: (share) => report(share, 'scoring customers'),
    onScored: async (scored) => {
      if (bound !== undefined && churn !== undefined)
        crossings += await lookAtRisks({ redis, keys, bound, now: at }, churn.model, scored);
    },
  });
  await report(1, 'customers are scored');
  const seconds = (now() - at) / 1000;
  log.info(
    { event: 'scores.written', snapshot: snapshot.id, customers: snapshot.customers, withoutRecord, seconds },
    'every customer is scored',
  );
  return {
    job: 'score-customers',
    metrics: { customers: snapshot.customers, withoutRecord, crossings, seconds },
  };
};
