/** The offer model, learnt from the log of the loop by the code of the worker's job: its samples, its fit. */
import { fitOfferModel } from '../../../algorithms/offer-model/fit-offer-model.ts';
import type { OfferModel } from '../../../algorithms/offer-model/offer-model.ts';
import { OfferModelOptions } from '../../../algorithms/offer-model/offer-model-options.ts';
import type { Rng } from '../../../algorithms/rng.ts';
import { dayMs } from '../../../domain/time.ts';
import type { LoggedAction } from '../../../history/logged-decisions.ts';
import { describeOffer } from '../../../offers/describe-offer.ts';
import { createOfferSampler } from '../../../train/offers/samples.ts';
import type { ClosedShop } from './closed-shop.ts';
import type { DecidedLog } from './decided-log.ts';

/** An order may come two weeks after the message was read, which may be a day after it was sent. */
const windowDays = 15;
/** Leaving: no order within so many days after the window. */
const horizonDays = 60;
const options = OfferModelOptions.parse({});

export async function learnOffers(
  { shop, items, statistics }: ClosedShop,
  log: DecidedLog,
  now: number,
  rng: Rng,
): Promise<OfferModel> {
  const usualOrderMinor = statistics.medianPriceMinor * 2;
  const descriptors = new Map(
    shop.offers.map(({ offer, version }) => [
      version as string,
      describeOffer(offer, items, usualOrderMinor),
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
    split: now,
    churnHorizonDays: horizonDays,
  });
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
  for (const [customer, actions] of byCustomer.entries())
    sampler.add(String(customer), log.traces[customer]?.events ?? [], actions);
  const samples = sampler.finish();
  return fitOfferModel(
    samples.log,
    { windowDays, churnHorizonDays: horizonDays, usualOrderMinor },
    options,
    rng,
  );
}
