/** What this process knows of the shop, to look at offers that are being saved. */
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { DISCOUNTS, type Offer } from '../domain/offer.ts';
import { FEATURE_RANGES } from '../features/registry.ts';
import { type OfferWarning, offerWarnings } from '../offers/offer-warnings.ts';
import { redeemableUntil } from '../offers/redeemable-until.ts';
import type { Deps } from './deps.ts';

/** `before`: what is saved anew as it was until now. Nothing before the catalogue has been read: then all would be unknown. */
export async function warningsOf(
  saved: readonly Offer[],
  before: ReadonlyMap<string, Offer>,
  deps: Pick<Deps, 'catalogue' | 'budgets' | 'log' | 'now'>,
): Promise<OfferWarning[]> {
  const { catalogue, log, now } = deps;
  if (!catalogue.loaded) return [];
  const taken = await takenOf(saved, before, deps);
  const own = new Set<string>(saved.map(({ offerId }) => offerId));
  let categories: Set<string> | undefined;
  const placements = new Set<string>();
  for (const offer of catalogue.offers.values())
    if (!own.has(offer.offerId)) for (const placement of offer.placements) placements.add(placement);
  const names = {
    hasItem: (itemId: string) => catalogue.items.has(itemId),
    hasCategory: (category: string) => {
      categories ??= new Set([...catalogue.items.values()].map((item) => item.category));
      return categories.has(category);
    },
    rangeOf: (feature: string) => FEATURE_RANGES.get(feature),
    placements,
  };
  const warnings = saved.flatMap((offer) =>
    offerWarnings(offer, names, {
      before: before.get(offer.offerId),
      now: now(),
      taken: taken.get(offer.offerId),
    }),
  );
  if (warnings.length > 0)
    log.warn(
      { event: 'offer.unmatched', warnings: warnings.slice(0, loggedMax) },
      'offers were saved that name what the shop does not have; the answer said so',
    );
  return warnings;
}

const loggedMax = 20;

/** What is out or spent of budgets that are made smaller. They are saved by then: where Redis is away, nothing is said of it. */
async function takenOf(
  saved: readonly Offer[],
  before: ReadonlyMap<string, Offer>,
  { budgets, log, now }: Pick<Deps, 'budgets' | 'log' | 'now'>,
): Promise<Map<string, { amountMinor: number; count: number }>> {
  const taken = new Map<string, { amountMinor: number; count: number }>();
  const smaller = saved.filter((offer) => isSmaller(offer.budget, before.get(offer.offerId)?.budget));
  await Promise.all(
    smaller.map(async (offer) => {
      const state = await budgets.state(offer, now());
      taken.set(offer.offerId, {
        amountMinor: state.reservedMinor + state.confirmedMinor,
        count: state.reservedCount + state.confirmedCount,
      });
    }),
  ).catch((err: unknown) =>
    log.warn({ event: 'offer.budget-unread', err }, 'what is out of a smaller budget could not be read'),
  );
  return taken;
}

function isSmaller(is: Offer['budget'], was: Offer['budget']): boolean {
  return (['amountMinor', 'count'] as const).some(
    (limit) => was !== undefined && (is?.[limit] ?? Infinity) < (was[limit] ?? Infinity),
  );
}

/**
 * What an offer that is taken back leaves behind, for a header: who was made a discount has it all the same, and a shop of one discount
 * at a time makes them no other. undefined: nothing.
 */
export function warningOfDeletion(
  offer: Offer,
  { contact }: Pick<DecisionPolicy, 'contact'>,
  now: number,
): string | undefined {
  const until = redeemableUntil(offer, now);
  if (
    !contact.oneDiscountAtATime ||
    !DISCOUNTS.has(offer.benefit.kind) ||
    until === undefined ||
    until <= now
  )
    return undefined;
  return (
    `Whom ${encodeURIComponent(offer.offerId)} was made to may still redeem it, until ${new Date(until).toISOString()} at the latest; until then, or until it ` +
    'is redeemed or dismissed, no other discount is made to them (discount-open).'
  );
}
