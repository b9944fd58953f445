/** The offer model, learnt from the log of the loop by the code of the worker's job: its samples, its fit, its trial and its gate. */
import { fitOfferModel } from '../../../algorithms/offer-model/fit-offer-model.ts';
import type { OfferModel } from '../../../algorithms/offer-model/offer-model.ts';
import { OfferModelOptions } from '../../../algorithms/offer-model/offer-model-options.ts';
import type { Rng } from '../../../algorithms/rng.ts';
import { dayMs } from '../../../domain/time.ts';
import type { LoggedAction } from '../../../history/logged-decisions.ts';
import { describeOffer } from '../../../offers/describe-offer.ts';
import type { OfferMarket } from '../../../offers/offer-market.ts';
import type { Models, Served } from '../../../scoring/served.ts';
import { passGate } from '../../../train/offers/pass-gate.ts';
import { createOfferSampler, type OfferSamples } from '../../../train/offers/samples.ts';
import { splitBeyond, testFrom } from '../../../train/offers/split-decisions.ts';
import { createPolicyTrial, tryCustomer } from '../../../train/offers/try-policies.ts';
import type { ClosedShop } from './closed-shop.ts';
import type { DecidedLog } from './decided-log.ts';

/** An order may come two weeks after the message was read, which may be a day after it was sent. */
const windowDays = 15;
/** Leaving: no order within so many days after the window. */
const horizonDays = 60;
const options = OfferModelOptions.parse({});

export async function learnOffers(
  closed: ClosedShop,
  log: DecidedLog,
  now: number,
  rng: Rng,
): Promise<OfferModel> {
  return learn(closed, samplesOf(closed, actionsOf(closed, log), log, now, now).log, rng);
}

/** What is served, and until when it has learnt. */
export type Champion = { model: OfferModel; seenUntil: number };

/**
 * As the worker's job does: a first model learns from the earlier decisions and is tried on the later ones beside `champion`
 * (undefined: beside what is assumed); one that has learnt from all of them takes its place if it passes the gate. Answers what
 * is served then, and why.
 */
export async function learnThroughGate(
  closed: ClosedShop,
  log: DecidedLog,
  now: number,
  /** The same random numbers each time: both fits draw alike. */
  rng: () => Rng,
  {
    champion,
    market,
    models,
  }: { champion: Champion | undefined; market: OfferMarket; models: Omit<Models, 'offers'> },
): Promise<{ champion: Champion | undefined; reason: string }> {
  const windowMs = windowDays * dayMs;
  const latest = testFrom(log.rows.map(({ at }) => at).filter((at) => at + windowMs <= now));
  if (latest === undefined) return { champion, reason: 'no window has passed' };
  const splitAt = splitBeyond(latest, champion && { ...champion, windowMs });
  const actions = actionsOf(closed, log);
  const samples = samplesOf(closed, actions, log, now, splitAt);
  const versions = new Map(closed.shop.offers.map(({ offer, version }) => [version as string, offer]));
  const outcome = await passGate({
    samples,
    splitAt,
    windowMs,
    learn: (rows) => learn(closed, rows, rng()),
    tryOn: (later, { candidate, counts }) => {
      const trial = createPolicyTrial({
        market: { ...market, countsOf: counts, affordExploring: () => false },
        models: { ...models, offers: undefined },
        candidate,
        champion: champion && ({ version: 'champion', model: champion.model } as Served<OfferModel>),
        offerOf: ({ offerVersion }) => versions.get(offerVersion),
      });
      const rowsOf = log.traces.map((): number[] => []);
      for (const row of later) rowsOf[samples.log.customer[row] ?? -1]?.push(row);
      for (const [customer, rows] of rowsOf.entries())
        if (rows.length > 0)
          tryCustomer(trial, samples, rows, log.traces[customer]?.events ?? [], actions[customer] ?? []);
      return trial.finish();
    },
    championName: 'what is served',
  });
  if (outcome.shortage !== undefined) return { champion, reason: outcome.shortage };
  if (!outcome.gate.passed) return { champion, reason: outcome.gate.reason };
  return { champion: { model: await outcome.learnFromAll(), seenUntil: now }, reason: outcome.gate.reason };
}

/** By customer, in the order of time. */
function actionsOf({ shop }: ClosedShop, log: DecidedLog): LoggedAction[][] {
  const byCustomer = log.traces.map((): LoggedAction[] => []);
  for (const { customer, decisionId, at, action, propensity } of log.rows) {
    const made = shop.offers[action];
    byCustomer[customer]?.push({
      decisionId,
      at,
      channel: 'email',
      placement: 'email-top',
      offer: made && { offerId: made.offer.offerId, offerVersion: made.version, benefit: made.offer.benefit },
      propensity,
    });
  }
  return byCustomer;
}

function samplesOf(
  { shop, items, statistics }: ClosedShop,
  actions: readonly LoggedAction[][],
  { traces }: DecidedLog,
  now: number,
  split: number,
): OfferSamples {
  const descriptors = new Map(
    shop.offers.map(({ offer, version }) => [
      version as string,
      describeOffer(offer, items, usualOrderOf(statistics)),
    ]),
  );
  const sampler = createOfferSampler({
    channels: ['email'],
    categories: [...new Set([...descriptors.values()].flatMap(({ categories }) => categories))].sort(),
    descriptorOf: ({ offerVersion }) => {
      const descriptor = descriptors.get(offerVersion);
      if (descriptor === undefined) throw new Error(`an offer of version ${offerVersion} was never there`);
      return descriptor;
    },
    windowMs: windowDays * dayMs,
    end: now,
    split,
    churnHorizonDays: horizonDays,
  });
  for (const [customer, own] of actions.entries())
    sampler.add(String(customer), traces[customer]?.events ?? [], own);
  return sampler.finish();
}

function learn({ statistics }: ClosedShop, log: OfferSamples['log'], rng: Rng): Promise<OfferModel> {
  const context = { windowDays, churnHorizonDays: horizonDays, usualOrderMinor: usualOrderOf(statistics) };
  return fitOfferModel(log, context, options, rng);
}

const usualOrderOf = ({ medianPriceMinor }: ClosedShop['statistics']) => medianPriceMinor * 2;
