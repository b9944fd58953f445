/** A past decision in full: as it was logged, what has become of it since, and its offers as they were then. */
import { z } from 'zod';
import { isBrief, type LoggedDecision, readDecision } from '../../decide/decision-log.ts';
import { readVersion } from '../../decide/offer-versions.ts';
import { readOutcomes, sortOutcomes } from '../../decide/outcome-log.ts';
import { Decision } from '../../domain/decision.ts';
import { OfferId } from '../../domain/ids.ts';
import { Offer, OfferOutcome, OfferVersion } from '../../domain/offer.ts';
import type { Deps } from '../deps.ts';

export const ExplainedDecision = Decision.extend({
  /** What was reported of it, oldest first. */
  outcomes: z.array(
    z.object({
      eventId: z.string(),
      offerId: OfferId,
      outcome: OfferOutcome,
      at: z.iso.datetime(),
      valueMinor: z.number().optional(),
      costMinor: z.number().optional(),
    }),
  ),
  /** The offers that it made, as they were then; `offer` is null where that can no longer be read. */
  offers: z.array(z.object({ offerId: OfferId, offerVersion: OfferVersion, offer: Offer.nullable() })),
});
export type ExplainedDecision = z.output<typeof ExplainedDecision>;

type ExplainDeps = Pick<Deps, 'redis' | 'keys' | 'past'>;

/** Out of Redis, else out of the lake; undefined: there is none. */
export async function findLogged(decisionId: string, deps: ExplainDeps): Promise<LoggedDecision | undefined> {
  return (await readDecision(decisionId, deps)) ?? (await deps.past.find(decisionId))?.decision;
}

export async function explainDecision(
  decisionId: string,
  deps: ExplainDeps,
): Promise<ExplainedDecision | undefined> {
  const [recent, reported] = await Promise.all([
    readDecision(decisionId, deps),
    readOutcomes(decisionId, deps),
  ]);
  // While Redis has the decision, it has all that was reported of it; why other offers were not made it may leave to the lake.
  const past = recent === undefined || isBrief(recent) ? await deps.past.find(decisionId) : undefined;
  const decision = past?.decision ?? recent;
  if (decision === undefined) return undefined;
  const outcomes = new Map([...(past?.outcomes ?? []), ...reported].map((one) => [one.eventId, one]));
  return {
    ...decision,
    outcomes: sortOutcomes([...outcomes.values()]).map(({ offerId, at, ...outcome }) => ({
      ...outcome,
      offerId: OfferId.parse(offerId),
      at: new Date(at).toISOString(),
    })),
    offers: await offersOf(decision, deps),
  };
}

async function offersOf({ placements }: Decision, deps: ExplainDeps): Promise<ExplainedDecision['offers']> {
  const made = new Map(
    placements.flatMap(({ offers }) => offers.map(({ offerId, offerVersion }) => [offerId, offerVersion])),
  );
  return await Promise.all(
    [...made].map(async ([offerId, offerVersion]) => {
      const saved = await readVersion(offerId, offerVersion, deps);
      return { offerId, offerVersion, offer: saved?.offer ?? null };
    }),
  );
}
