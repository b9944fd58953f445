/** Which offers to make to a customer now. Plain functions, so that routes and a batch call the same ones. */

import type { Channel } from '../domain/channel.ts';
import type { Decision, PlacementDecision } from '../domain/decision.ts';
import type { CustomerRecord } from '../features/record.ts';
import { chooseOffers, fallbackPlacements, type OfferMarket } from '../offers/choose-offers.ts';
import type { Situation } from '../offers/customer-facts.ts';
import { isBuyable } from '../offers/shop-statistics.ts';
import { customerFacts, type DecisionContext } from './customer-facts.ts';
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
};

export const noContext: DecisionContext = { itemIds: [], basketMinor: undefined };

export type DecideDeps = Pick<DecidingDeps, 'records' | 'catalogue' | 'models' | 'market' | 'now'>;

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
  deps: Pick<DecideDeps, 'catalogue' | 'models' | 'now'>,
): Decision {
  const now = deps.now();
  const facts = customerFacts(record, deps.models, market.items, request.context, now);
  const situation = situationOf(request, market, now);
  const choice = chooseOffers(market, facts, situation, request.limit, request.context.basketMinor);
  return {
    ...describe(request, now),
    ...choice,
    modelVersions: modelVersions(deps.models),
    degraded: !deps.catalogue.loaded,
  };
}

/** What is answered without Redis: fallback offers out of this process's copy of the catalogue. Never logged. */
export function degradedDecision(request: DecideRequest, deps: Pick<DecideDeps, 'market' | 'now'>): Decision {
  const now = deps.now();
  return {
    ...describe(request, now),
    placements: fallbackFor(request, deps.market.known(), now),
    excluded: [],
    modelVersions: {},
    degraded: true,
  };
}

/** The fallback offer for each place of the request. */
export function fallbackFor(
  request: Pick<DecideRequest, 'channel' | 'placements'>,
  market: OfferMarket,
  now: number,
): PlacementDecision[] {
  return fallbackPlacements(market, situationOf(request, market, now));
}

function situationOf(
  { channel, placements }: Pick<DecideRequest, 'channel' | 'placements'>,
  market: OfferMarket,
  now: number,
): Situation {
  return { channel, placements, now, isBuyable: (itemId) => isBuyable(market.items.get(itemId)) };
}

function describe({ subject, channel, campaign }: DecideRequest, now: number) {
  return {
    decisionId: null,
    ...subject,
    channel,
    ...(campaign !== undefined && { campaign }),
    decidedAt: new Date(now).toISOString(),
  };
}

function modelVersions({ collaborative, churn }: DecidingDeps['models']): Record<string, string> {
  return {
    ...(collaborative && { collaborative: collaborative.version }),
    ...(churn && { churn: churn.version }),
  };
}
