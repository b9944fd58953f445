/**
 * Compares the served churn model with what has happened since it was trained: whether the customers of today are like
 * those of then, and whether as many were lost within the last complete horizon as it would have said. Past a
 * bound, a new training is asked for.
 */
import { churnFromFiles } from '../../algorithms/churn-files.ts';
import { churnRisk } from '../../algorithms/churn-model.ts';
import { featureDrift, type Population } from '../../algorithms/feature-drift.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../features/registry.ts';
import { readOrderRhythm } from '../../history/order-rhythm.ts';
import { replayCustomers } from '../../history/replay.ts';
import { type LoadedModel, loadServableModel } from '../../infra/model-store.ts';
import { lostWithin } from '../churn/evaluate.ts';
import { createSampler, notGone, type SampleSet } from '../churn/samples.ts';
import type { JobContext, JobHandler } from '../jobs/job.ts';
import { whyUnreadable } from '../scores/served-models.ts';
import { type DriftReport, keepDriftReport } from './drift-report.ts';
import { judgeCalibration, pastBounds } from './judge-drift.ts';

/** Of a larger shop, that many are drawn. */
const customersMax = 100_000;
const width = FEATURE_NAMES.length;

export const checkDriftJob: JobHandler = async (payload, context) => {
  const { config, redis, keys, lake, log, now, report } = context;
  await report(0, 'reading the model');
  const loaded = await loadServableModel(
    config.modelsDir,
    'churn',
    (version, err) =>
      log.warn(
        { event: 'drift.model-unreadable', version, err },
        'a served model cannot be read to check it',
      ),
    acceptChurn,
  );
  if (loaded === undefined)
    return notChecked(
      (await whyUnreadable(config.modelsDir, 'churn')) ?? 'no churn model is served that could have drifted',
    );
  const model = churnFromFiles(loaded.arrays, loaded.tables);
  const rhythm = await readOrderRhythm(lake, Math.min(payload.cutoff ?? now(), now()));
  if (rhythm === undefined) return notChecked('there are no purchases to compare with');

  // One past the last event, as in training: an event at `to` lies within the last horizon.
  const today = rhythm.to + 1;
  const before = today - model.horizonDays * dayMs;
  const sampled = await sampleCustomers(context, [before, today], payload.seed, rhythm.customers, today);
  const goneAfterDays = model.gone?.afterDays ?? Number.POSITIVE_INFINITY;
  const [then, current] = sampled.map((set) => notGone(set, goneAfterDays)) as [SampleSet, SampleSet];
  const population = loaded.tables.population as Population | undefined;
  const features = population === undefined ? [] : featureDrift(population, FEATURE_NAMES, current.features);
  const risks = Float64Array.from({ length: then.rows }, (_, row) =>
    churnRisk(model, then.features.subarray(row * width, (row + 1) * width)),
  );
  const calibration = judgeCalibration(risks, lostWithin(then, model.horizonDays));
  const past = pastBounds(features, calibration, config.driftBounds);
  const drift: DriftReport = {
    version: loaded.manifest.version,
    checkedAt: new Date(now()).toISOString(),
    customers: current.rows,
    features,
    calibration,
    past,
  };
  await keepDriftReport(redis, keys, drift);
  if (past.length > 0) {
    log.warn({ event: 'model.drifted', model: 'churn', version: drift.version, past }, past.join('; '));
    await context.askFor('train-churn');
    // The bands of risk are those of the churn model that is served: they follow it.
    await context.askFor('train-customer-value');
  }
  await report(1, past.length > 0 ? 'drifted' : 'no drift');
  return {
    job: 'check-drift',
    model: 'churn',
    version: drift.version,
    reason:
      past.length > 0
        ? `${past.join('; ')}: a new training is asked for`
        : 'customers and risks are as they were when it was trained',
    metrics: {
      customers: drift.customers,
      featureDriftMost: features[0]?.index ?? 0,
      calibrationError: calibration.error,
      expectedLost: calibration.expected,
      observedLost: calibration.observed,
      pastBounds: past.length,
    },
  };
};

/** What the service would refuse is not what drifts. */
function acceptChurn({ manifest, arrays, tables }: LoadedModel): void {
  if (manifest.featureSchema !== FEATURE_SCHEMA) throw new Error('it reads other features');
  churnFromFiles(arrays, tables);
}

/** Customers as they were known at each instant. */
async function sampleCustomers(
  { lake, report }: JobContext,
  instants: readonly number[],
  seed: number,
  customers: number,
  before: number,
): Promise<SampleSet[]> {
  const sampler = createSampler(instants);
  const drawnShare = Math.min(1, customersMax / customers);
  let seen = 0;
  await replayCustomers(lake, { before }, (customerId, events) => {
    if (drawnShare === 1 || createRng(seed, 'drift', 'customer', customerId).next() < drawnShare)
      sampler.add(events);
    return ++seen % 500 === 0
      ? report(0.9 * Math.min(1, seen / customers), 'replaying customers')
      : undefined;
  });
  return sampler.finish();
}

function notChecked(reason: string): JobResult {
  return { job: 'check-drift', model: 'churn', reason, metrics: {} };
}
