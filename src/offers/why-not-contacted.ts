/** Whether the shop may go to a customer at all, whatever it has to say: a fallback stands also for whom nothing may be sent to. */
import type { Decision, DecisionInputs, ExclusionReason } from '../domain/decision.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import { mayAddress } from './may-address.ts';

/** In the order in which they are tried. */
export const NOT_CONTACTED_REASONS = [
  'no-consent',
  'control-group',
  'quiet-hours',
  'minimum-gap',
  'contact-cap',
] as const satisfies readonly ExclusionReason[];
export type NotContactedReason = (typeof NOT_CONTACTED_REASONS)[number];

/**
 * Where the shop goes to the customer: undefined where it may, and on every other channel. By what is so of the customer, and not by
 * why single offers were not made: each of those tells its first reason alone, and a shop may have none but fallbacks. Without
 * `contacts`, nothing is said of the hour or of other messages.
 */
export function whyNotContacted(
  { channel, controlGroup, placements }: Pick<Decision, 'channel' | 'controlGroup' | 'placements'>,
  inputs: Pick<DecisionInputs, 'consent' | 'contacts'> | undefined,
): NotContactedReason | undefined {
  if (!CONTACT_CHANNELS.has(channel)) return undefined;
  // Who is made an offer may be contacted.
  if (placements.some(({ offers, fallback }) => offers.length > 0 && !fallback)) return undefined;
  if (!mayAddress({ consent: inputs?.consent }, channel)) return 'no-consent';
  if (controlGroup) return 'control-group';
  if (inputs?.contacts?.quiet) return 'quiet-hours';
  return inputs?.contacts?.limit ?? undefined;
}
