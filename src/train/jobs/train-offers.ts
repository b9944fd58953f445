import { loadDecisionPolicy } from '../../decide/policy.ts';
import { trainOffers } from '../offers/train-offers.ts';
import type { JobHandler } from './job.ts';
import { trainingOf } from './training-of.ts';

/** Policies are tried under the shop's own rules of contact and costs. */
export const trainOffersJob: JobHandler = (payload, context) =>
  trainOffers({
    ...trainingOf(payload, context),
    policy: loadDecisionPolicy(context.config.decisionPolicyFile),
    currency: context.config.currency,
  });
