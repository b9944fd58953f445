/**
 * What policies would have earned on the service's own decisions, as the lake has them: those of `evaluate offers`, and beside
 * them the service's own decision with a version of the offer model, and with what is served now (or, where nothing is, by what
 * is assumed of each benefit).
 *
 * The reward is that of the gate (try-decision.ts): the margin of a usual order for each within the window, less what the offer
 * and the contact cost. Contexts are the features of the customer before the decision, and the channel.
 */
import { offersFromFiles } from '../../algorithms/offer-model/offer-model-files.ts';
import { UsageError } from '../../domain/errors.ts';
import { dayMs } from '../../domain/time.ts';
import {
  evaluateOffers,
  type OffersEvaluation,
  type OffersOptions,
} from '../../evaluation/offers/evaluate-offers.ts';
import type { DecisionLog } from '../../evaluation/offers/read-decisions.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../features/registry.ts';
import { decisionSpan, readLoggedActions } from '../../history/logged-decisions.ts';
import type { Logger } from '../../infra/logger.ts';
import { listModels, loadModel } from '../../infra/model-store.ts';
import type { Served } from '../../scoring/served.ts';
import { servedChurn, servedCustomerValue, servedOffers } from '../scores/served-models.ts';
import { readShopOffers, usualOrderOf } from './market.ts';
import { countsOf } from './samples.ts';
import { collectSamples, decisionsMax, type OfferReplay, oldestDays, tryPolicies } from './train-offers.ts';

export type DecisionsToEvaluate = Omit<OfferReplay, 'report'> & {
  modelsDir: string;
  log: Logger;
  /** Only what happened before it is known, milliseconds since 1970. */
  end: number;
  /** Of the offer model; absent: the newest there is, served or in the shadow. */
  version?: string;
};

/** UsageError with the cure where there is too little, or no version to judge. */
export async function evaluateDecisions(
  { lake, policy, currency, seed, modelsDir, log, end, version }: DecisionsToEvaluate,
  options: Omit<OffersOptions, 'policies'>,
): Promise<OffersEvaluation & { decisions: number; customers: number }> {
  const judged = await versionToJudge(modelsDir, version);
  const champion = await servedOffers(modelsDir, log);
  const span = await decisionSpan(lake, end);
  if (span === undefined)
    throw new UsageError('The lake has no decision on a customer yet: there is nothing to evaluate.');
  const shop = await readShopOffers(lake);
  const { byCustomer, unusable } = await readLoggedActions(lake, {
    since: end - oldestDays * dayMs,
    before: end,
    share: Math.min(1, decisionsMax / span.decisions),
  });
  const { windowDays } = judged.model;
  const replay: OfferReplay = { lake, policy, currency, seed, report: () => {} };
  const samples = await collectSamples(replay, byCustomer, shop, {
    windowMs: windowDays * dayMs,
    end,
    split: end,
    churnHorizonDays: judged.model.churnHorizonDays,
    usualOrderMinor: await usualOrderOf(lake, end),
  });
  const all = Int32Array.from(samples.at.keys());
  const [churn, customerValue] = [
    await servedChurn(modelsDir, log),
    await servedCustomerValue(modelsDir, log),
  ];
  const trial = await tryPolicies(replay, byCustomer, shop, samples, all, {
    candidate: judged.model,
    champion: champion && served(champion),
    models: {
      collaborative: undefined,
      churn: churn && served(churn),
      customerValue: customerValue && served(customerValue),
      offers: undefined,
    },
    counts: countsOf(samples, all),
  });
  const decisions = decisionLog(trial, samples.log);
  const given = (name: string, choice: Int32Array, score: Float64Array) => ({
    name,
    choice: choice.map((action) => action - 1),
    score,
  });
  const { lines, notes } = await evaluateOffers(decisions, {
    ...options,
    policies: [
      given(judged.version, trial.candidate, trial.score),
      ...(champion?.version === judged.version
        ? []
        : [given(champion?.version ?? 'assumed', trial.champion, trial.championScore)]),
    ],
  });
  const seen = trial.samples.filter(
    (row) => samples.at[row]! + windowDays * dayMs <= judged.seenUntil,
  ).length;
  if (seen > 0)
    notes.push(
      `${judged.version} may have learnt from ${seen} of the ${decisions.rows} decisions: its line is flattered by that. Its manifest tells what it earned on those that it had not seen (nextbest models list).`,
    );
  if (unusable > 0)
    notes.push(`${unusable} places are left out: their probability was not logged, or they cannot be read.`);
  return { lines, notes, decisions: decisions.rows, customers: decisions.customers.length };
}

async function versionToJudge(modelsDir: string, version: string | undefined) {
  const versions = (await listModels(modelsDir)).filter(({ manifest }) => manifest.name === 'offers');
  const found =
    version === undefined ? versions[0] : versions.find(({ manifest }) => manifest.version === version);
  if (found === undefined)
    throw new UsageError(
      version === undefined
        ? 'There is no version of the offer model yet: nextbest train offers makes one, and if it is not served, it is judged here all the same.'
        : `There is no version ${version} of the offer model. nextbest models list shows which there are.`,
    );
  const { featureSchema, dataRange } = found.manifest;
  if (featureSchema !== FEATURE_SCHEMA)
    throw new UsageError(
      `Version ${found.manifest.version} was trained on features ${featureSchema}, this build has ${FEATURE_SCHEMA}: nextbest train offers makes another.`,
    );
  const { arrays, tables } = await loadModel(modelsDir, 'offers', found.manifest.version);
  return {
    version: found.manifest.version,
    model: offersFromFiles(arrays, tables),
    seenUntil: Date.parse(dataRange.to),
  };
}

/** The rows of the trial, as `evaluate offers` takes them from a file. */
function decisionLog(
  { log, offerIds, samples: rows }: Awaited<ReturnType<typeof tryPolicies>>,
  {
    featureNames,
    channels,
    contexts,
  }: { featureNames: readonly string[]; channels: readonly string[]; contexts: Float32Array },
): DecisionLog {
  const width = featureNames.length + channels.length;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, n) => {
    values.set(contexts.subarray(row * width, (row + 1) * width), n * width);
  });
  const numbers = new Map<number, number>();
  const customer = log.customer.map((own) => {
    const number = numbers.get(own) ?? numbers.size;
    numbers.set(own, number);
    return number;
  });
  return {
    rows: rows.length,
    customer,
    // Halves are drawn by it.
    customers: [...numbers.keys()].map(String),
    arm: log.action.map((action) => action - 1),
    offers: offerIds.slice(1),
    propensity: log.propensity,
    reward: log.reward,
    others: [],
    contexts: { names: [...FEATURE_NAMES, ...channels.map((channel) => `channel=${channel}`)], values },
  };
}

function served<M>({ version, model }: { version: string; model: M }): Served<M> {
  return { version, model } as Served<M>;
}
