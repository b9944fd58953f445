/** Why a list that is complete has an offer for nobody, so that a first one without any consent does not pass for a quiet shop. */
import type { BatchCounts } from '../../domain/batch.ts';
import type { Channel } from '../../domain/channel.ts';

/** Reasons that are named. */
const reasonsTold = 3;

/** One sentence or several, with what cures it; undefined where somebody has an offer, or nobody was decided for. */
export function whyNoOffer(
  { decided, offers, fallbacks, notContactable, unknown, byReason }: BatchCounts,
  channel: Channel,
): string | undefined {
  if (decided === 0 || offers > 0) return undefined;
  const most = Object.entries(byReason).sort(([, a], [, b]) => b - a);
  const named = most.slice(0, reasonsTold).map(([reasonCode, times]) => `${reasonCode} (${times})`);
  const because =
    named.length > 0
      ? `because of: ${named.join(', ')}.`
      : 'for there is no offer but fallbacks: PUT /offers/{offerId} saves one.';
  const sentences = [`No offer is made to any of the ${decided} customers, ${because}`];
  if (fallbacks > 0 && notContactable === 0) sentences.push(`${fallbacks} have the fallback.`);
  else if (fallbacks > 0)
    sentences.push(
      `The fallback stands in for ${fallbacks}, but ${notContactable} of the ${decided} are not to be contacted by ${channel} now: the list leaves them out unless it is asked for with includeNothing.`,
    );
  if (byReason['no-consent'] !== undefined)
    sentences.push(
      `Whoever is not known to have consented to ${channel} is not written to: PUT /customers/{customerId}, an event customerUpdated or nextbest import tells of consent.`,
    );
  if (unknown === decided)
    sentences.push('None of them has a record here: the ids may be those of another system.');
  return sentences.join(' ');
}
