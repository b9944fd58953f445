/** Who has dismissed an offer is not asked again for a while; who dismisses one after the other is not asked at all. */
import type { ContactPolicy } from '../domain/decision-policy.ts';
import type { OfferAnswer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

/** Is the offer suppressed? */
export type Suppression = (offerId: string) => boolean;

const nothing: Suppression = () => false;

/**
 * An offer is suppressed for `suppressDays` after it was dismissed; every offer is for as long after a dismissal that was the
 * `times`-th within `withinDays`. `answers` in the order of time; `now` in milliseconds since 1970.
 */
export function suppressionAt(
  answers: readonly OfferAnswer[],
  { times, withinDays, suppressDays }: ContactPolicy['dismissals'],
  now: number,
): Suppression {
  const dismissals = answers.filter(({ outcome }) => outcome === 'dismissed');
  const isRecent = ({ at }: OfferAnswer) => now - at < suppressDays * dayMs;
  const own = new Set<string>(dismissals.filter(isRecent).map(({ offerId }) => offerId));
  if (own.size === 0) return nothing;
  const isTired = dismissals.some((last, i) => {
    const first = dismissals[i - times + 1];
    return first !== undefined && last.at - first.at < withinDays * dayMs && isRecent(last);
  });
  return isTired ? () => true : (offerId) => own.has(offerId);
}
