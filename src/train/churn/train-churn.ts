/**
 * Trains the churn model from the lake: learns from customers at earlier instants, tests at the last whose horizon is
 * complete, publishes if it beats knowing less. What is served is what was tested.
 */

import { churnToFiles } from '../../algorithms/churn-files.ts';
import type { ChurnModel, LongGone } from '../../algorithms/churn-model.ts';
import { populationOf } from '../../algorithms/feature-drift.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../features/registry.ts';
import { horizonDaysOf, readOrderRhythm } from '../../history/order-rhythm.ts';
import { replayCustomers } from '../../history/replay.ts';
import { loadTensorFlow } from '../tensorflow.ts';
import { notTrained, publishTrained, seenBefore, type Training } from '../training.ts';
import { evaluateChurn, judgeChurn, lostWithin } from './evaluate.ts';
import { risksKnowingLess } from './knowing-less.ts';
import { learnChurn, learnDefaults } from './learn.ts';
import { prepareRows, type Study } from './learn-rows.ts';
import { type Look, looksBefore } from './moments.ts';
import { createSampler, drawCustomers, type GoneCount, notGone, type SampleSet } from './samples.ts';

/** Of a larger shop, that many are drawn: more do not make a network of this size better. */
const customersMax = 100_000;
/** Below that, figures are noise. */
const customersMin = 50;
const lostMin = 5;
/** Told besides the shop's own horizon, where what can be learnt from is that many times as long. */
const furtherHorizonsDays = [30, 60, 90];
const horizonsBeforeTest = 3;
const looksAtFurther = 2;
/** Those whose last order lies further back are gone beyond doubt: they would flatter every figure, and are counted apart. */
const goneAfterHorizons = 3;

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
  // One past the last event: an event at `to` lies within the last horizon.
  const testAt = rhythm.to + 1 - horizonMs;
  const horizons = horizonsOf(horizonDays, (testAt - rhythm.from) / dayMs);
  const looks = horizons.flatMap((days) =>
    looksBefore(rhythm.from, testAt, days * dayMs, days === horizonDays ? undefined : looksAtFurther),
  );
  const goneAfterDays = goneAfterHorizons * horizonDays;
  const instants = { testAt, today: rhythm.to + 1 };
  const { gone, study, today } = await collectSamples(training, looks, instants, horizonMs, rhythm.customers);
  const test = notGone(study.atEnd, goneAfterDays);
  const shortage = shortageOf(study, test, horizonDays);
  if (shortage !== undefined) return notTrained('churn', shortage);

  const { tf, backend } = await loadTensorFlow(log);
  const prepared = prepareRows(study, seed, learnDefaults.rowsMax);
  const { model, rows, heldOutLogLoss } = await learnChurn(
    tf,
    prepared,
    { horizonDays, horizons, gone: goneRisk(goneAfterDays, gone) },
    learnDefaults,
    seed,
    (share) => report(shares.replayed + (shares.learnt - shares.replayed) * share, 'learning'),
  );
  await report(shares.learnt, 'testing');
  const tested = evaluateChurn(model, test, risksKnowingLess(prepared, test, horizonDays), seed);
  const gate = judgeChurn(tested);

  await report(shares.tested, 'publishing');
  const { arrays, tables } = churnToFiles(model);
  const population = populationOf(
    FEATURE_NAMES,
    notGone(today, goneAfterDays).features,
    [test, ...study.looks.map(({ set }) => set)].map(({ features }) => features),
  );
  return publishTrained(
    training,
    {
      name: 'churn',
      featureSchema: FEATURE_SCHEMA,
      dataRange: { from: new Date(rhythm.from).toISOString(), to: new Date(rhythm.to).toISOString() },
      parameters: {
        horizonDays,
        horizons,
        goneAfterDays,
        goneCustomers: gone.customers,
        seed,
        ...learnDefaults.network,
        hidden: [...learnDefaults.network.hidden],
        folds: learnDefaults.folds,
        ...learnDefaults.start,
        ...purchaseParameters(model),
        lookInstants: looks.map(({ at }) => at),
        lookHorizonsDays: looks.map(({ horizonMs: length }) => length / dayMs),
        testCutoff: testAt,
        learnRows: rows,
        heldOutLogLoss,
      },
      metrics: tested.metrics,
      backend,
      gate,
    },
    {
      arrays,
      tables: { ...tables, population },
    },
  );
}

/** The shop's own, and those that what lies before the test is long enough for. */
function horizonsOf(ownDays: number, daysBeforeTest: number): number[] {
  const further = furtherHorizonsDays.filter((days) => horizonsBeforeTest * days <= daysBeforeTest);
  return [...new Set([ownDays, ...further])].sort((a, b) => a - b);
}

async function collectSamples(
  training: Training,
  looks: readonly Look[],
  { testAt, today }: { testAt: number; today: number },
  horizonMs: number,
  customers: number,
): Promise<{ gone: GoneCount; study: Study; today: SampleSet }> {
  const { lake, seed, report } = training;
  const instants = [...new Set([...looks.map(({ at }) => at), testAt, today])].sort((a, b) => a - b);
  const rule = { afterMs: goneAfterHorizons * horizonMs, horizonMs, end: testAt };
  const earlier = instants.filter((instant) => instant < testAt).length;
  const isDrawn = drawCustomers(Math.min(customers, customersMax), earlier, seed);
  const sampler = createSampler(instants, { rule, draw: { before: testAt, isDrawn } });
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
  const sets = sampler.finish();
  const at = (instant: number): SampleSet => sets[instants.indexOf(instant)]!;
  return {
    gone: sampler.gone,
    study: { looks: looks.map((look) => ({ ...look, set: at(look.at) })), atEnd: at(testAt) },
    today: at(today),
  };
}

/** Share of the long gone who stayed away, by Laplace's rule of succession: a log may hold few of them, or none. */
function goneRisk(afterDays: number, { customers, lost }: GoneCount): LongGone {
  return { afterDays, risk: (lost + 1) / (customers + 2) };
}

function shortageOf({ looks }: Study, test: SampleSet, horizonDays: number): string | undefined {
  const last = looks.findLast(({ horizonMs }) => horizonMs === horizonDays * dayMs) ?? looks.at(-1);
  if (last === undefined) return 'the history is too short to learn from';
  const sets = [
    ['learn', last.set, last.horizonMs / dayMs],
    ['test', test, horizonDays],
  ] as const;
  for (const [name, set, days] of sets) {
    const lost = lostWithin(set, days).reduce((sum, label) => sum + label, 0);
    if (set.rows < customersMin)
      return `too few customers to ${name}: ${set.rows} of at least ${customersMin}`;
    if (Math.min(lost, set.rows - lost) < lostMin)
      return `too little to tell apart: ${lost} of ${set.rows} customers to ${name} were lost`;
  }
  return undefined;
}

/** As `mbgNbd.r`, `paretoNbd.alpha` …: a manifest's parameters are flat. */
function purchaseParameters({ purchases }: ChurnModel): Record<string, number> {
  return Object.fromEntries(
    Object.entries(purchases).flatMap(([name, parameters]) =>
      Object.entries(parameters).map(([parameter, value]) => [`${name}.${parameter}`, value]),
    ),
  );
}
