/**
 * Trains the churn model from the lake: learn at early cut-offs, calibrate at a later one, test at the last whose
 * horizon is complete, publish if it beats knowing less. What is served is what was tested.
 */

import { fitIsotonic } from '../../algorithms/calibration.ts';
import {
  type ChurnModel,
  churnLogit,
  churnToFiles,
  type LongGone,
  scaleFeatures,
  signedLog,
} from '../../algorithms/churn-model.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../features/registry.ts';
import { replayCustomers } from '../../history/replay.ts';
import { loadTensorFlow } from '../tensorflow.ts';
import { notTrained, publishTrained, seenBefore, type Training } from '../training.ts';
import { type ChurnCutoffs, churnCutoffs } from './cutoffs.ts';
import { evaluateChurn, judgeChurn } from './evaluate.ts';
import { horizonDaysOf, readOrderRhythm } from './horizon.ts';
import { fitNetwork, networkDefaults } from './network.ts';
import { createSampler, type GoneCount, type SampleSet, type SampleSets } from './samples.ts';

/** Of a larger shop, that many are drawn: more do not make a network of this size better. */
const customersMax = 100_000;
/** Below that, figures are noise. */
const customersMin = 50;
const lostMin = 5;

/** Shares of the work, for the progress bar. */
const shares = { replayed: 0.5, learnt: 0.95, tested: 0.97 };

export async function trainChurn(training: Training): Promise<JobResult> {
  const { lake, seed, report, log } = training;
  await report(0, 'looking at the history');
  const rhythm = await readOrderRhythm(lake, seenBefore(training));
  if (rhythm === undefined) return notTrained('churn', 'there are no purchases to learn from');
  const horizonDays = horizonDaysOf(rhythm);
  if (horizonDays === undefined)
    return notTrained('churn', 'the history is too short: churn takes at least 70 days of purchases');
  const horizonMs = horizonDays * dayMs;
  const cutoffs = churnCutoffs(rhythm.from, rhythm.to, horizonMs);
  const { gone, ...sets } = await collectSamples(training, cutoffs, horizonMs, rhythm.customers);
  const shortage = shortageOf(sets);
  if (shortage !== undefined) return notTrained('churn', shortage);

  const { tf, backend } = await loadTensorFlow(log);
  const scaling = fitScaling(sets.learn);
  const width = FEATURE_NAMES.length;
  const network = await fitNetwork(
    tf,
    {
      inputs: width,
      features: scaleRows(scaling, sets.learn),
      labels: sets.learn.labels,
      customers: sets.learn.customers,
    },
    networkDefaults,
    seed,
    (epoch) =>
      report(
        shares.replayed + (shares.learnt - shares.replayed) * (epoch / networkDefaults.epochsMax),
        `learning, epoch ${epoch}`,
      ),
  );
  await report(shares.learnt, 'calibrating and testing');
  const model = calibrated(
    { featureNames: FEATURE_NAMES, ...scaling, layers: network.layers, horizonDays, gone: goneRisk(gone) },
    sets,
  );
  const metrics = evaluateChurn(model, sets.calibrate, sets.test);
  const gate = judgeChurn(metrics);

  await report(shares.tested, 'publishing');
  return publishTrained(
    training,
    {
      name: 'churn',
      featureSchema: FEATURE_SCHEMA,
      dataRange: { from: new Date(rhythm.from).toISOString(), to: new Date(rhythm.to).toISOString() },
      parameters: {
        horizonDays,
        goneAfterDays: gone.afterDays,
        goneCustomers: gone.customers,
        seed,
        hidden: [...networkDefaults.hidden],
        learningRate: networkDefaults.learningRate,
        batchSize: networkDefaults.batchSize,
        epochs: network.epochs,
        learnCutoffs: [...cutoffs.learn],
        calibrateCutoff: cutoffs.calibrate,
        testCutoff: cutoffs.test,
        learnRows: sets.learn.rows,
        calibrateRows: sets.calibrate.rows,
      },
      metrics,
      backend,
      gate,
    },
    churnToFiles(model),
  );
}

async function collectSamples(
  training: Training,
  cutoffs: ChurnCutoffs,
  horizonMs: number,
  customers: number,
): Promise<SampleSets & { gone: GoneCount }> {
  const { lake, seed, report } = training;
  const sampler = createSampler(cutoffs, horizonMs);
  const drawnShare = Math.min(1, customersMax / customers);
  let seen = 0;
  await replayCustomers(lake, { before: seenBefore(training) }, (customerId, events) => {
    if (drawnShare === 1 || createRng(seed, 'churn', 'customer', customerId).next() < drawnShare)
      sampler.add(events);
    return ++seen % 500 === 0
      ? report(shares.replayed * Math.min(1, seen / customers), 'replaying customers')
      : undefined;
  });
  await report(shares.replayed, 'starting TensorFlow.js');
  return sampler.finish();
}

/** Share of the long gone who stayed away, by Laplace's rule of succession: a log may hold few of them, or none. */
function goneRisk({ afterDays, customers, lost }: GoneCount): LongGone {
  return { afterDays, risk: (lost + 1) / (customers + 2) };
}

function shortageOf(sets: SampleSets): string | undefined {
  for (const [name, set] of Object.entries(sets)) {
    const lost = set.labels.reduce((sum, label) => sum + label, 0);
    if (set.rows < customersMin)
      return `too few customers to ${name}: ${set.rows} of at least ${customersMin}`;
    if (Math.min(lost, set.rows - lost) < lostMin)
      return `too little to tell apart: ${lost} of ${set.rows} customers to ${name} were lost`;
  }
  return undefined;
}

/** Mean and standard deviation of each feature's signed logarithm. */
function fitScaling({ rows, features }: SampleSet): Pick<ChurnModel, 'mean' | 'spread'> {
  const width = FEATURE_NAMES.length;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < width; j++) {
      const value = signedLog(features[row * width + j]!);
      sum[j]! += value;
      squares[j]! += value * value;
    }
  }
  const mean = Float32Array.from(sum, (total) => total / rows);
  const spread = Float32Array.from(squares, (total, j) => {
    const variance = total / rows - (sum[j]! / rows) ** 2;
    // A feature that never varies: scaled to 0 for those trained on, whatever it may say later is clipped.
    return variance > 1e-8 ? Math.sqrt(variance) : 1;
  });
  return { mean, spread };
}

function scaleRows(
  scaling: Pick<ChurnModel, 'mean' | 'spread'>,
  { rows, features }: SampleSet,
): Float32Array {
  const width = scaling.mean.length;
  const scaled = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    scaleFeatures(
      scaling,
      features.subarray(row * width, (row + 1) * width),
      scaled.subarray(row * width, (row + 1) * width),
    );
  return scaled;
}

function calibrated(network: Omit<ChurnModel, 'calibration'>, { calibrate }: SampleSets): ChurnModel {
  const width = network.featureNames.length;
  const logits = Float64Array.from({ length: calibrate.rows }, (_, row) =>
    churnLogit(network, calibrate.features.subarray(row * width, (row + 1) * width)),
  );
  return { ...network, calibration: fitIsotonic(logits, calibrate.labels) };
}
