/**
 * Trains the offer model from logged decisions and what came of them. A first model learns from the earlier decisions and is
 * tried on the later ones beside what is served (or, where nothing is, what is assumed of each kind of benefit); if its
 * decisions earn more beyond doubt, one that has learnt from all of them is published. Else it stays in the shadow.
 */
import { fitOfferModel, type OfferFitContext } from '../../algorithms/offer-model/fit-offer-model.ts';
import type { OfferModel } from '../../algorithms/offer-model/offer-model.ts';
import { offersToFiles } from '../../algorithms/offer-model/offer-model-files.ts';
import { OfferModelOptions } from '../../algorithms/offer-model/offer-model-options.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { CurrentPolicy } from '../../decide/policy.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import { decisionSpan, type LoggedAction, readLoggedActions } from '../../history/logged-decisions.ts';
import { readOrderRhythm } from '../../history/order-rhythm.ts';
import { replayCustomers } from '../../history/replay.ts';
import { depthOf, describeOffer } from '../../offers/describe-offer.ts';
import type { Models, Served } from '../../scoring/served.ts';
import { servedChurn, servedCustomerValue, servedOffers } from '../scores/served-models.ts';
import { notTrained, publishTrained, seenBefore, type Training } from '../training.ts';
import { readShopOffers, replayedMarket, type ShopOffers, usualOrderOf } from './market.ts';
import { passGate } from './pass-gate.ts';
import { createOfferSampler, type OfferSamples } from './samples.ts';
import { splitBeyond, testFrom } from './split-decisions.ts';
import { createPolicyTrial, type PolicyTrial, tryCustomer } from './try-policies.ts';

export type OfferTraining = Training & { policy: CurrentPolicy; currency: string };

/** Of a busier shop, so many decisions are learnt from, those of customers that are drawn. */
export const decisionsMax = 300_000;
/** Older ones are of another time. */
export const oldestDays = 400;
/** Decisions that policies are tried on, at most. */
const testMax = 40_000;
/** Longest window; that of nine in ten of the offers made is taken. */
const windowMaxDays = 60;
const windowQuantile = 0.9;
/** Categories that offers are told apart by, at most: those of most offers. */
const categoriesMax = 64;

/** Shares of the work, for the progress bar. */
const shares = { read: 0.05, replayed: 0.3, learnt: 0.55, tried: 0.75, fitted: 0.97 };

const fits = {
  earlier: { from: shares.replayed, to: shares.learnt, stage: 'learning from earlier decisions' },
  all: { from: shares.tried, to: shares.fitted, stage: 'learning from all decisions' },
} as const;

const name = 'offers';

export async function trainOffers(training: OfferTraining): Promise<JobResult> {
  const { lake, modelsDir, log, report } = training;
  await report(0, 'looking at the decisions');
  const rhythm = await readOrderRhythm(lake, seenBefore(training));
  // One past the last event: what happened later is not known.
  const end = rhythm === undefined ? 0 : rhythm.to + 1;
  const span = await decisionSpan(lake, end);
  if (rhythm === undefined || span === undefined)
    return notTrained(name, 'no decisions on offers have been logged: there is nothing to learn from yet');
  const shop = await readShopOffers(lake);
  const { byCustomer, unusable } = await readLoggedActions(lake, {
    since: end - oldestDays * dayMs,
    before: end,
    share: Math.min(1, decisionsMax / span.decisions),
  });
  const windowDays = windowOf(byCustomer, shop);
  const champion = await servedOffers(modelsDir, log);
  const latestAt = splitOf(byCustomer, end - windowDays * dayMs);
  if (latestAt === undefined)
    return notTrained(
      name,
      `the window of ${windowDays} days of no decision that was logged with its probability has passed`,
    );
  const splitAt = splitBeyond(
    latestAt,
    champion && { ...champion, windowMs: champion.model.windowDays * dayMs },
  );
  const churn = await servedChurn(modelsDir, log);
  const customerValue = await servedCustomerValue(modelsDir, log);
  const churnHorizonDays =
    churn && churnHorizonOf(churn.model.horizons, (end - span.from) / dayMs - windowDays);
  const usualOrderMinor = await usualOrderOf(lake, end);
  await report(shares.read, 'replaying customers');
  const samples = await collectSamples(training, byCustomer, shop, {
    windowMs: windowDays * dayMs,
    end,
    split: splitAt,
    churnHorizonDays,
    usualOrderMinor,
  });
  const context: OfferFitContext = {
    windowDays,
    churnHorizonDays,
    usualOrderMinor,
  };
  const options = OfferModelOptions.parse({});
  const models = {
    collaborative: undefined,
    churn: churn && served(churn.version, churn.model),
    customerValue: customerValue && served(customerValue.version, customerValue.model),
    offers: undefined,
  };
  const outcome = await passGate({
    samples,
    splitAt,
    windowMs: windowDays * dayMs,
    learn: (rows, decisions) => {
      const { from, to, stage } = fits[decisions];
      const progress = (share: number) => report(from + (to - from) * share, stage);
      return fitOfferModel(rows, context, options, createRng(training.seed, 'offers'), progress);
    },
    tryOn: (later, of) =>
      tryPolicies(training, byCustomer, shop, samples, later, {
        ...of,
        champion: champion && served(champion.version, champion.model),
        models,
      }),
    championName:
      champion === undefined
        ? 'decisions by what is assumed of each benefit'
        : `decisions by the served version ${champion.version}`,
    ...(champion !== undefined &&
      splitAt > latestAt && {
        laterAre: `, which ${champion.version}, the one that is served, has not learnt from`,
      }),
  });
  if (outcome.shortage !== undefined) return notTrained(name, outcome.shortage);
  const { gate, metrics, withheld, learnDecisions } = outcome;
  const model = await outcome.learnFromAll();
  await report(shares.fitted, 'publishing');
  return publishTrained(
    training,
    {
      name,
      featureSchema: FEATURE_SCHEMA,
      dataRange: { from: new Date(span.from).toISOString(), to: new Date(end - 1).toISOString() },
      parameters: {
        seed: training.seed,
        windowDays,
        churnHorizonDays: model.churnHorizonDays ?? 0,
        usualOrderMinor,
        axes: model.purchase.basis.size,
        offers: model.purchase.arms.length,
        decisions: samples.log.rows,
        learnDecisions,
        censored: samples.censored,
        unusable,
        ...(withheld.length > 0 && { withheld: withheld.join(', ') }),
        testFrom: splitAt,
        purchaseLearner: model.purchase.learned.learner,
        ...(model.churn !== undefined && { churnLearner: model.churn.learned.learner }),
        ...(churn !== undefined && { churnModel: churn.version }),
      },
      metrics,
      backend: 'typed arrays',
      gate,
    },
    offersToFiles(model),
  );
}

/** Days that nine in ten of the offers made may be redeemed within: one window for all, so that effects can be compared. */
export function windowOf(byCustomer: ReadonlyMap<string, readonly LoggedAction[]>, shop: ShopOffers): number {
  const days: number[] = [];
  for (const actions of byCustomer.values())
    for (const { offer } of actions) {
      const known = offer && offerOf(shop, offer);
      if (known !== undefined) days.push(known.redeemWithinDays);
    }
  days.sort((a, b) => a - b);
  return Math.min(windowMaxDays, days[Math.ceil(windowQuantile * days.length) - 1] ?? 14);
}

/** The longest of the churn model's horizons that has passed for about half of the decisions, else the shortest. */
function churnHorizonOf(horizons: readonly number[], daysLogged: number): number {
  return horizons.findLast((days) => days <= daysLogged / 2) ?? horizons[0]!;
}

/** Of the decisions before `closed`, the latest share begins here; undefined: there are none. */
function splitOf(
  byCustomer: ReadonlyMap<string, readonly LoggedAction[]>,
  closed: number,
): number | undefined {
  return testFrom(
    [...byCustomer.values()].flatMap((actions) => actions.map(({ at }) => at).filter((at) => at <= closed)),
  );
}

function offerOf({ versions, latest }: ShopOffers, made: NonNullable<LoggedAction['offer']>) {
  return versions.get(made.offerVersion) ?? latest.get(made.offerId);
}

export async function collectSamples(
  { lake, report }: Pick<OfferReplay, 'lake' | 'report'>,
  byCustomer: ReadonlyMap<string, readonly LoggedAction[]>,
  shop: ShopOffers,
  {
    usualOrderMinor,
    ...rest
  }: Pick<Parameters<typeof createOfferSampler>[0], 'windowMs' | 'end' | 'split' | 'churnHorizonDays'> & {
    usualOrderMinor: number;
  },
): Promise<OfferSamples> {
  const described = new Map<string, ReturnType<typeof describeOffer>>();
  const descriptorOf = (made: NonNullable<LoggedAction['offer']>) => {
    const key = `${made.offerId} ${made.offerVersion}`;
    let descriptor = described.get(key);
    if (descriptor === undefined) {
      const offer = offerOf(shop, made);
      const { kind } = made.benefit;
      // Of an offer that the lake does not have, the decision tells the benefit.
      descriptor =
        offer === undefined
          ? {
              offerId: made.offerId,
              kind,
              depth: depthOf(made.benefit, usualOrderMinor),
              retention: false,
              categories: [],
            }
          : describeOffer(offer, shop.items, usualOrderMinor);
      described.set(key, descriptor);
    }
    return descriptor;
  };
  const channels = new Set<string>();
  const mentions = new Map<string, number>();
  for (const actions of byCustomer.values())
    for (const { channel, offer } of actions) {
      channels.add(channel);
      if (offer !== undefined)
        for (const category of descriptorOf(offer).categories)
          mentions.set(category, (mentions.get(category) ?? 0) + 1);
    }
  const categories = [...mentions]
    .sort(([a, times], [b, others]) => others - times || (a < b ? -1 : 1))
    .slice(0, categoriesMax)
    .map(([category]) => category)
    .sort();
  const sampler = createOfferSampler({ ...rest, channels: [...channels].sort(), categories, descriptorOf });
  let seen = 0;
  await replayCustomers(lake, { before: rest.end, customerIds: [...byCustomer.keys()] }, (id, events) => {
    sampler.add(id, events, byCustomer.get(id) ?? []);
    return ++seen % 200 === 0
      ? report(
          shares.read + (shares.replayed - shares.read) * Math.min(1, seen / byCustomer.size),
          'replaying customers',
        )
      : undefined;
  });
  return sampler.finish();
}

/** What reading the lake and replaying it need of a training. */
export type OfferReplay = Pick<OfferTraining, 'lake' | 'policy' | 'currency' | 'seed' | 'report'>;

/**
 * Both policies on the later decisions, each with the customer as she was before it: a second replay, so that no record is
 * kept. `samples`: by row of the trial, that of the samples.
 */
export async function tryPolicies(
  { lake, policy, currency, seed, report }: OfferReplay,
  byCustomer: ReadonlyMap<string, readonly LoggedAction[]>,
  shop: ShopOffers,
  samples: OfferSamples,
  later: Int32Array,
  {
    candidate,
    champion,
    models,
    counts,
  }: {
    candidate: OfferModel;
    champion: Served<OfferModel> | undefined;
    models: Models;
    counts: (offerId: string) => { made: number; redeemed: number };
  },
): Promise<PolicyTrial & { samples: Int32Array }> {
  const tried: number[] = [];
  const trial = createPolicyTrial({
    market: replayedMarket(shop, policy, currency, counts),
    models,
    candidate,
    champion,
    offerOf: (made) => offerOf(shop, made),
  });
  const { log, customerIds } = samples;
  const share = Math.min(1, testMax / later.length);
  /** Rows of each customer, in the order of time. */
  const rowsOf = new Map<string, number[]>();
  for (const row of later) {
    const customerId = customerIds[log.customer[row]!]!;
    const known = rowsOf.get(customerId);
    if (known !== undefined) known.push(row);
    else if (share === 1 || createRng(seed, 'offers', 'test', customerId).next() < share)
      rowsOf.set(customerId, [row]);
  }
  let seen = 0;
  await replayCustomers(lake, { customerIds: [...rowsOf.keys()] }, (customerId, events) => {
    const actions = byCustomer.get(customerId) ?? [];
    for (const row of tryCustomer(trial, samples, rowsOf.get(customerId) ?? [], events, actions))
      tried.push(row);
    return ++seen % 50 === 0
      ? report(
          shares.learnt + (shares.tried - shares.learnt) * Math.min(1, seen / rowsOf.size),
          'trying decisions',
        )
      : undefined;
  });
  return { ...trial.finish(), samples: Int32Array.from(tried) };
}

function served<M>(version: string, model: M): Served<M> {
  return { version, model } as Served<M>;
}
