/**
 * Brings the served model up to what was bought since, between two trainings: items that are new get factors from those
 * who bought them, and everything that is only counted (popularity, neighbours, bought together, rhythms) is counted
 * anew. Settings, ranker and the factors of known items stay: nothing is chosen, and nothing is judged again.
 */

import { interestMatrix } from '../../algorithms/browsing.ts';
import { collaborativeToFiles } from '../../algorithms/collaborative-model.ts';
import { gramOf } from '../../algorithms/dense.ts';
import { foldInNewItems } from '../../algorithms/fold-in-items.ts';
import { purchasePairs } from '../../algorithms/purchase-pairs.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { purchaseSpan } from '../../history/purchases.ts';
import { currentVersion } from '../../infra/served-versions.ts';
import { kernelBackend } from '../open-kernels.ts';
import { type KernelTraining, publishTrained, seenBefore } from '../training.ts';
import { readRecipe } from './champion.ts';
import { easeNote } from './fit-ease-rows.ts';
import { fitAround } from './fit-model.ts';
import { fitSources } from './fit-sources.ts';
import { loadServedModel, rowsInModel, trainedAtOf } from './served-model.ts';
import { loadShopLog } from './shop-log.ts';

const job = 'update-collaborative';
/** A model is updated for so long after its training: then its factors are stale, and its age is to be seen. */
const updatableDays = 3;

export async function updateCollaborative(training: KernelTraining): Promise<JobResult> {
  const { lake, kernels, modelsDir, seed, now, report } = training;
  const before = seenBefore(training);
  await report(0, 'reading the served model');
  const served = await loadServedModel(training);
  if (served === undefined) return skipped('no model is served that could be updated');
  const { manifest, model } = served;
  const { version, parameters } = manifest;
  const recipe = readRecipe(parameters.recipe);
  const { users } = model;
  if (recipe === undefined || users === undefined)
    return skipped(`${version}, which is served, is of an earlier kind: the next training makes it new`);
  const trainedAt = trainedAtOf(manifest);
  if (now - Date.parse(trainedAt) > updatableDays * dayMs)
    return skipped(`${version} was trained more than ${updatableDays} days ago: it is time for a training`);
  const since = await purchaseSpan(lake, { from: model.asOf, before });
  if (since === undefined) return skipped(`nothing was bought since ${version} was made`);

  await report(0.1, 'reading purchases');
  const log = await loadShopLog(lake, { before, withBrowsing: true });
  await report(0.4, 'folding new items in');
  const { settings } = recipe;
  const asOf = since.last + 1;
  const pairs = purchasePairs(log, log.customerIds.length, log.itemIds.length);
  const rows = rowsInModel(model, log.itemIds);
  const items = { factors: model.itemFactors, size: model.factors, gram: model.gram };
  const itemFactors = foldInNewItems(
    { items, users },
    interestMatrix(pairs, log.browsing, settings.weighting, asOf),
    rows,
    model,
  );
  const factors = { itemFactors, itemGram: gramOf(itemFactors, model.factors) };
  await report(0.6, 'counting');
  const updated = {
    ...model,
    ...(await fitAround(kernels, factors, log, pairs, settings, asOf)),
    sources: await fitSources(kernels, log, pairs, settings, asOf, seed),
  };
  // A training that ended meanwhile knows more.
  if ((await currentVersion(modelsDir, 'collaborative')) !== version)
    return skipped(`another version took the place of ${version} meanwhile`);
  const newItems = rows.filter((row) => row < 0).length;
  await report(0.95, 'publishing');
  return publishTrained(
    training,
    {
      name: 'collaborative',
      featureSchema: null,
      dataRange: { ...manifest.dataRange, to: new Date(since.last).toISOString() },
      parameters: {
        ...parameters,
        basedOn: version,
        trainedAt,
        ease: easeNote(updated.sources.ease, log.itemIds.length, settings.ease),
        purchases: log.at.length,
        customers: log.customerIds.length,
        items: log.itemIds.length,
      },
      metrics: { ...manifest.metrics, newItemsFoldedIn: newItems },
      backend: kernelBackend(kernels),
      gate: {
        passed: true,
        reason: `${version} brought up to what was bought since, with ${newItems} new items; judged when it was trained: ${trainedAt}`,
      },
    },
    collaborativeToFiles(updated),
    job,
  );
}

/** Nothing to update is an outcome, not a failure. */
function skipped(reason: string): JobResult {
  return { job, model: 'collaborative', published: false, reason, metrics: {} };
}
