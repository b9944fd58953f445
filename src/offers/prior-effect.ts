/**
 * What is assumed of an offer's effect until the offer model has learnt it: what that model would say of a customer without any
 * evidence (algorithms/offer-model/assumed-effects.ts has the sizes), but that acceptance goes by what is counted of the offer
 * and by taste, and dismissal by the customer's own answers.
 *
 *   uplift         = persuaded share of the kind × P(redeemed)
 *   churnReduction = Σ size · cause, of the causes of algorithms/offer-model/keeping.ts: being meant to keep × P(leaving), a service contact,
 *                    one to the aggrieved, an invitation to who takes part; less P(dismissed) × what annoyance drives away and leaves out
 */

import { deviationOfSum } from '../algorithms/normal-distribution.ts';
import {
  ANNOYANCE,
  DISMISSAL_ASSUMED,
  PERSUADED_DEVIATION,
  persuadedShareOf,
  usualLeaving,
} from '../algorithms/offer-model/assumed-effects.ts';
import {
  assumedSizes,
  causesSize,
  keepingOf,
  withLeftOut,
  writeCauses,
} from '../algorithms/offer-model/keeping.ts';
import type { OfferEffect } from '../algorithms/offer-model/offer-model.ts';
import type { Channel } from '../domain/channel.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import type { Offer } from '../domain/offer.ts';
import {
  acceptDeviation,
  baseAcceptPropensity,
  liftPropensity,
  type OfferCounts,
} from './accept-propensity.ts';
import { affinityLift } from './affinity.ts';
import type { CustomerFacts } from './customer-facts.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';

export type PriorAcceptance = {
  baseAcceptPropensity: number;
  affinityLift: number;
  acceptPropensity: number;
};

export function priorAcceptance(
  { benefit }: Offer,
  subject: OfferSubject,
  facts: CustomerFacts,
  counts: OfferCounts,
  shop: ShopStatistics,
): PriorAcceptance {
  const base = baseAcceptPropensity(benefit.kind, counts);
  const lift = affinityLift(subject, facts, shop);
  return {
    baseAcceptPropensity: base,
    affinityLift: lift,
    acceptPropensity: liftPropensity(base, lift),
  };
}

const sizes = withLeftOut(assumedSizes(), {
  leftOut: ANNOYANCE.leftOut,
  leftOutDeviation: ANNOYANCE.deviation,
});
/** Of one pair; every process asks of one at a time. */
const causes = new Float64Array(causesSize);

export function priorEffect(
  { benefit, retention }: Offer,
  channel: Channel,
  facts: CustomerFacts,
  counts: OfferCounts,
  { acceptPropensity }: PriorAcceptance,
): OfferEffect {
  const share = persuadedShareOf(benefit.kind);
  writeCauses(
    { kind: benefit.kind, retention },
    {
      dismisses: priorDismissal(channel, facts.offerAnswers),
      leaving: facts.churnRisk ?? usualLeaving,
      ...facts.standing,
    },
    causes,
  );
  const keeping = keepingOf(sizes, causes);
  return {
    acceptPropensity,
    uplift: share * acceptPropensity,
    churnReduction: keeping.mean,
    upliftDeviation: deviationOfSum(
      PERSUADED_DEVIATION * acceptPropensity,
      share * acceptDeviation(acceptPropensity, counts),
    ),
    churnReductionDeviation: keeping.deviation,
  };
}

/** P(dismissed | read and not taken): the posterior mean of a Beta over the customer's answers of late. */
function priorDismissal(channel: Channel, answers: CustomerFacts['offerAnswers']): number {
  if (!CONTACT_CHANNELS.has(channel)) return 0;
  let dismissed = 0;
  for (const { outcome } of answers) if (outcome === 'dismissed') dismissed++;
  const { share, answers: weight } = DISMISSAL_ASSUMED;
  return (dismissed + share * weight) / (answers.length + weight);
}
