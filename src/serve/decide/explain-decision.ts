/** A past decision in full: as it was logged, what has become of it since, and its offers as they were then. */
import { z } from 'zod';
import { readOutline, readWaiting } from '../../decide/decision-log.ts';
import type { DecisionOutline } from '../../decide/decision-outline.ts';
import { readVersion } from '../../decide/offer-versions.ts';
import { readOutcomes, sortOutcomes } from '../../decide/outcome-log.ts';
import { Decision } from '../../domain/decision.ts';
import { AppError } from '../../domain/errors.ts';
import { OfferId } from '../../domain/ids.ts';
import { Offer, OfferOutcome, OfferVersion } from '../../domain/offer.ts';
import { readPolicy, SavedPolicy } from '../../infra/policy-files.ts';
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
  /** The decision policy as it was then, and since when it had been in force; null where that can no longer be read. */
  policy: SavedPolicy.nullable(),
});
export type ExplainedDecision = z.output<typeof ExplainedDecision>;

type FindDeps = Pick<Deps, 'redis' | 'keys' | 'past'>;
type ExplainDeps = FindDeps & { config: Pick<Deps['config'], 'dataDir'> };

/** What it did: out of Redis, else out of the lake; undefined: there is none. */
export async function findLogged(decisionId: string, deps: FindDeps): Promise<DecisionOutline | undefined> {
  return (await readOutline(decisionId, deps)) ?? (await deps.past.find(decisionId))?.decision;
}

/**
 * The same of many at once, by id: what Redis does not have of them is one question to the lake. What cannot be looked up rejects
 * for itself.
 */
export function findManyLogged(
  decisionIds: Iterable<string>,
  deps: FindDeps,
): Map<string, Promise<DecisionOutline | undefined>> {
  const ids = [...new Set(decisionIds)];
  const recent = ids.map((decisionId) => readOutline(decisionId, deps));
  const past = Promise.allSettled(recent).then((read) =>
    deps.past.findMany(ids.filter((_, n) => read[n]?.status === 'fulfilled' && read[n].value === undefined)),
  );
  const found = recent.map(async (outline, n) => (await outline) ?? (await past).get(ids[n] ?? ''));
  // Whoever asks for one of them is told; nobody may.
  for (const one of found) one.catch(() => {});
  return new Map(ids.map((decisionId, n) => [decisionId, found[n] ?? Promise.resolve(undefined)]));
}

export async function explainDecision(
  decisionId: string,
  deps: ExplainDeps,
): Promise<ExplainedDecision | undefined> {
  const [recent, reported] = await Promise.all([
    readWaiting(decisionId, deps),
    readOutcomes(decisionId, deps),
  ]);
  // While Redis has the decision, it has all that was reported of it; what explains it waits in the stream, or is in the lake.
  const past = recent?.whole === undefined ? await deps.past.find(decisionId) : undefined;
  const decision = recent?.whole ?? past?.decision;
  if (decision === undefined) {
    if (recent === undefined) return undefined;
    throw new AppError('STORE_UNAVAILABLE', {
      public: 'What explains this decision is not in the lake yet.',
      internal: 'Redis has the outline of a decision that neither the event stream nor the lake has',
      retryAfterSeconds: 60,
    });
  }
  const [offers, policy] = await Promise.all([
    offersOf(decision, deps),
    readPolicy(deps.config.dataDir, decision.policyVersion),
  ]);
  const outcomes = new Map([...(past?.outcomes ?? []), ...reported].map((one) => [one.eventId, one]));
  return {
    ...decision,
    outcomes: sortOutcomes([...outcomes.values()]).map(({ offerId, at, ...outcome }) => ({
      ...outcome,
      offerId: OfferId.parse(offerId),
      at: new Date(at).toISOString(),
    })),
    offers,
    policy: policy ?? null,
  };
}

/** A decision that stands, with what explains it, as far as that can be had now: its answer does not depend on it. */
export async function withExplanation(decision: Decision, deps: FindDeps): Promise<Decision> {
  const { decisionId } = decision;
  if (decisionId === null) return decision;
  try {
    const recent = await readWaiting(decisionId, deps);
    const whole = recent?.whole ?? (await deps.past.find(decisionId))?.decision;
    if (whole === undefined) return decision;
    const { excluded, inputs } = whole;
    return { ...decision, excluded, ...(inputs && { inputs }) };
  } catch (err) {
    // Many others are being looked for.
    if (err instanceof AppError) return decision;
    throw err;
  }
}

async function offersOf({ placements }: Decision, deps: FindDeps): Promise<ExplainedDecision['offers']> {
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
