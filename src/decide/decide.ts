/** Which offers to make to a customer now. Plain functions, so that routes and a batch call the same ones. */

import type { Channel } from '../domain/channel.ts';
import type { Decision, PlacementDecision } from '../domain/decision.ts';
import type { CustomerRecord } from '../features/record.ts';
import { chooseOffers, fallbackPlacements, type OfferMarket } from '../offers/choose-offers.ts';
import type { Situation } from '../offers/customer-facts.ts';
import { isBuyable } from '../offers/shop-statistics.ts';
import { customerFacts, type DecisionContext } from './customer-facts.ts';
import { decisionInputs } from './decision-inputs.ts';
import type { DecidingDeps } from './deps.ts';
import { type DecisionSubject, subjectIdOf } from './subject.ts';

export type DecideRequest = {
  subject: DecisionSubject;
  channel: Channel;
  /** Filled in this order. */
  placements: readonly string[];
  campaign: string | undefined;
  /** Offers a place takes at most. */
  limit: number;
  context: DecisionContext;
  /** Nothing is logged, counted or spent. */
  dryRun?: boolean;
};

type SituationRequest = Pick<DecideRequest, 'channel' | 'placements' | 'context'>;

export const noContext: DecisionContext = { itemIds: [], basketMinor: undefined };

export type DecideDeps = Pick<DecidingDeps, 'records' | 'catalogue' | 'models' | 'market' | 'now' | 'random'>;

/** A decision that is not logged yet. Rejects when Redis is away: `degradedDecision` is the answer then. */
export async function decide(request: DecideRequest, deps: DecideDeps): Promise<Decision> {
  const [record, market] = await Promise.all([
    deps.records.read(subjectIdOf(request.subject)),
    deps.market.read(),
  ]);
  return decideFor(request, record, market, deps);
}

/** The same with everything at hand. A customer without a record is one of whom nothing is known. */
export function decideFor(
  request: DecideRequest,
  record: CustomerRecord | undefined,
  market: OfferMarket,
  deps: Pick<DecideDeps, 'catalogue' | 'models' | 'now' | 'random'>,
): Decision {
  const now = deps.now();
  const subjectId = subjectIdOf(request.subject);
  const facts = customerFacts(subjectId, record, deps.models, market.items, request.context, now);
  const situation = situationOf(request, market, now);
  const choice = chooseOffers(market, facts, situation, {
    limit: request.limit,
    drawing: {
      random: deps.random,
      afford: (costMinor, take) => market.affordExploring(costMinor, take && request.dryRun !== true),
    },
  });
  return {
    ...describe(request, market, now),
    ...choice,
    fallback: isFallback(choice.placements),
    modelVersions: modelVersions(deps.models),
    inputs: decisionInputs(facts, market.featuresRead, request.context),
    degraded: !deps.catalogue.loaded,
  };
}

/** What is answered without Redis: fallback offers out of this process's copy of the catalogue. Never logged. */
export function degradedDecision(request: DecideRequest, deps: Pick<DecideDeps, 'market' | 'now'>): Decision {
  const now = deps.now();
  const market = deps.market.known();
  const placements = fallbackFor(request, market, now);
  return {
    ...describe(request, market, now),
    placements,
    excluded: [],
    fallback: isFallback(placements),
    modelVersions: {},
    degraded: true,
  };
}

/** The fallback offer for each place of the request. */
export function fallbackFor(
  request: SituationRequest,
  market: OfferMarket,
  now: number,
): PlacementDecision[] {
  return fallbackPlacements(market, situationOf(request, market, now));
}

function situationOf(
  { channel, placements, context }: SituationRequest,
  market: OfferMarket,
  now: number,
): Situation {
  return {
    channel,
    placements,
    now,
    basketMinor: context.basketMinor,
    isBuyable: (itemId) => isBuyable(market.items.get(itemId)),
  };
}

/** Has every place that shows something a stand-in? */
function isFallback(placements: readonly PlacementDecision[]): boolean {
  const filled = placements.filter(({ offers }) => offers.length > 0);
  return filled.length > 0 && filled.every(({ fallback }) => fallback);
}

function describe({ subject, channel, campaign }: DecideRequest, market: OfferMarket, now: number) {
  const { experiment, furtherExperiments } = market.experiments.settingsFor(subjectIdOf(subject), now);
  return {
    decisionId: null,
    ...subject,
    channel,
    ...(campaign !== undefined && { campaign }),
    currency: market.currency,
    decidedAt: new Date(now).toISOString(),
    experiment,
    ...(furtherExperiments.length > 0 && { furtherExperiments: [...furtherExperiments] }),
    policyVersion: market.policyVersion,
  };
}

function modelVersions({
  collaborative,
  churn,
  customerValue,
  offers,
}: DecidingDeps['models']): Record<string, string> {
  return {
    ...(collaborative && { collaborative: collaborative.version }),
    ...(churn && { churn: churn.version }),
    ...(customerValue && { 'customer-value': customerValue.version }),
    ...(offers && { offers: offers.version }),
  };
}
