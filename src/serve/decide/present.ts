/** A decision as it is answered: terms and inputs only for those who ask for them, and whether anything may be sent at all. */
import { z } from 'zod';
import { Decision, type DecisionInputs } from '../../domain/decision.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import { NOT_CONTACTED_REASONS, whyNotContacted } from '../../offers/why-not-contacted.ts';

/** Not logged, and not what stands: consent may be withdrawn while the decision stays. */
export const AnsweredDecision = Decision.extend({
  contactable: z.boolean().optional().meta({
    description:
      'By `email` and `phone`. false: nothing is to be sent, not even the fallback. Absent: not known (`degraded`), or another channel',
  }),
  reasonCode: z
    .enum(NOT_CONTACTED_REASONS)
    .optional()
    .meta({ description: 'Why not, where `contactable` is false' }),
});
export type AnsweredDecision = z.output<typeof AnsweredDecision>;

/** What tells whether the customer may be contacted. */
export type KnownOfContact = Pick<DecisionInputs, 'consent' | 'contacts'>;

/** `known`: as of now, where that may be another moment than the decision's. */
export function presentDecision(
  decision: Decision,
  explain: boolean,
  known: KnownOfContact | undefined = decision.inputs,
): AnsweredDecision {
  const contact = contactOf(decision, known);
  if (explain) return { ...decision, ...contact };
  const { inputs: _inputs, ...rest } = decision;
  return {
    ...rest,
    ...contact,
    placements: decision.placements.map((place) => ({
      ...place,
      offers: place.offers.map(({ terms: _terms, ...offer }) => offer),
    })),
    excluded: decision.excluded.map(({ offerId, offerVersion, reasonCode }) => ({
      offerId,
      offerVersion,
      reasonCode,
    })),
  };
}

function contactOf(
  decision: Decision,
  known: KnownOfContact | undefined,
): Pick<AnsweredDecision, 'contactable' | 'reasonCode'> {
  const { channel, degraded, fallback, placements, controlGroup } = decision;
  if (degraded || !CONTACT_CHANNELS.has(channel)) return {};
  // Where the policy lets the fallback stand for the control group (`controlGroupFallback`), it is to be sent.
  const heldBack = controlGroup && !fallback ? { controlGroup } : {};
  const reasonCode = whyNotContacted({ channel, placements, ...heldBack }, known);
  return reasonCode === undefined ? { contactable: true } : { contactable: false, reasonCode };
}

/** What a decision came to, for the metrics. */
export function answerOf({ placements }: Decision): 'offer' | 'fallback' | 'nothing' {
  const filled = placements.filter(({ offers }) => offers.length > 0);
  if (filled.some(({ fallback }) => !fallback)) return 'offer';
  return filled.length > 0 ? 'fallback' : 'nothing';
}
