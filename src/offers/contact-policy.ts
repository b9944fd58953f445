/**
 * What protects the customer, whatever an offer is worth: consent, quiet hours, peace after a complaint, a low rating or
 * dismissals, caps, and one discount at a time. The rules are tried in the order of `EXCLUSION_REASONS`; the first that
 * forbids the offer is the reason.
 *
 * Where the shop goes to the customer (`CONTACT_CHANNELS`), all of them hold. Where she comes by herself, nobody needs her
 * consent, but a refusal of hers counts; quiet hours and caps hold if they name the channel, the minimum gap does not. What
 * concerns the offers themselves holds everywhere.
 */
import type { Channel } from '../domain/channel.ts';
import type { ContactInputs, DecidedOffer, ExclusionReason, WithdrawalReason } from '../domain/decision.ts';
import { CONTACT_CHANNELS, type ContactPolicy } from '../domain/decision-policy.ts';
import { isSelling, type Offer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import { brokenLimit, type ContactLimits, compileContactLimits } from './contact-limits.ts';
import { contactSummary } from './contact-summary.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import { suppressionAt } from './dismissals.ts';
import { mayAddress } from './may-address.ts';
import { areTwoDiscounts, hasOtherDiscount, isOfferCapped, openDiscounts } from './offer-limits.ts';
import { compileQuietHours } from './quiet-hours.ts';

/** Why one customer may not have this offer now, or undefined. */
export type ContactRule = {
  (offer: Offer): ExclusionReason | undefined;
  /** Set where it is the same for every offer. */
  ofAll?: ExclusionReason;
};

/** As much of the facts as may end an offer that has been decided on. */
export type WithdrawalFacts = Pick<
  CustomerFacts,
  'consent' | 'complaintOpen' | 'lastRatedBelow' | 'offerAnswers'
>;

/** Why an offer that was decided on at `decidedAt` is no longer to be made on the channel, or undefined. */
export type WithdrawalRule = (
  offer: Pick<DecidedOffer, 'offerId' | 'benefit'> & Pick<Offer, 'sells'>,
) => WithdrawalReason | undefined;

export type CompiledContactPolicy = {
  /** What holds for every offer is found out once. */
  ruleFor: (facts: CustomerFacts, situation: Situation) => ContactRule;
  /**
   * What the customer has said since an offer was decided on, where the decision still stands. Caps, gaps and quiet hours are
   * not asked again: by them it was made.
   */
  withdrawalRule: (
    facts: WithdrawalFacts,
    channel: Channel,
    decidedAt: number,
    now: number,
  ) => WithdrawalRule;
  /** Why nothing may be sold to the customer now, or undefined. */
  whyUnsellable: (
    facts: Pick<CustomerFacts, 'complaintOpen' | 'lastRatedBelow'>,
    now: number,
  ) => 'complaint-open' | 'low-rating' | undefined;
  /** What the rules see of the customer. */
  summaryOf: (facts: CustomerFacts, situation: Situation) => ContactInputs;
  /** For who writes contacts down: what counts on the channel. */
  limitsOn: (channel: Channel) => ContactLimits;
  /** May the two not be made at once? */
  excludeEachOther: (one: Offer, other: Offer) => boolean;
};

/** `alsoCounted`: caps that bear on some customers alone, for which contacts are written down too. */
export function compileContactPolicy(
  policy: ContactPolicy,
  alsoCounted: ContactPolicy['caps'] = [],
): CompiledContactPolicy {
  const isQuiet = compileQuietHours(policy);
  const limitsOn = compileContactLimits(policy);
  const countedOn =
    alsoCounted.length === 0
      ? limitsOn
      : compileContactLimits({ ...policy, caps: [...policy.caps, ...alsoCounted] });
  const { lowRating, dismissals, oneDiscountAtATime } = policy;
  const noDiscounts: ReadonlySet<string> = new Set();

  /** The same for everybody whom it keeps from every offer. */
  const rulesOfAll = new Map<ExclusionReason, ContactRule>();
  function ruleOfAll(reason: ExclusionReason): ContactRule {
    let rule = rulesOfAll.get(reason);
    if (rule === undefined) {
      rule = Object.assign(() => reason, { ofAll: reason });
      rulesOfAll.set(reason, rule);
    }
    return rule;
  }

  function whyUnaddressed(facts: CustomerFacts, { channel, now }: Situation): ExclusionReason | undefined {
    if (!mayAddress(facts, channel)) return 'no-consent';
    return isQuiet(channel, facts.timeZone, now) ? 'quiet-hours' : undefined;
  }

  function whyUnsellable(
    facts: Pick<CustomerFacts, 'complaintOpen' | 'lastRatedBelow'>,
    now: number,
  ): 'complaint-open' | 'low-rating' | undefined {
    if (facts.complaintOpen) return 'complaint-open';
    const ratedAt = facts.lastRatedBelow(lowRating.below);
    return ratedAt !== undefined && now - ratedAt < lowRating.days * dayMs ? 'low-rating' : undefined;
  }

  return {
    limitsOn: countedOn,
    whyUnsellable,
    summaryOf: (facts, situation) =>
      contactSummary(facts, situation, policy, isQuiet, limitsOn(situation.channel)),
    excludeEachOther: (one, other) => oneDiscountAtATime && areTwoDiscounts(one, other),
    withdrawalRule: (facts, channel, decidedAt, now) => {
      if (!mayAddress(facts, channel)) return () => 'no-consent';
      const unsellable = whyUnsellable(facts, now);
      const isSuppressed = suppressionAt(facts.offerAnswers, dismissals, now);
      const redeemed = new Set<string>(
        // A message shows what was sent; a page shows what there is to have.
        CONTACT_CHANNELS.has(channel)
          ? []
          : facts.offerAnswers.flatMap(({ offerId, outcome, at }) =>
              outcome === 'redeemed' && at >= decidedAt ? [offerId] : [],
            ),
      );
      return ({ offerId, benefit, sells }) => {
        if (unsellable !== undefined && isSelling({ benefit, sells })) return unsellable;
        if (isSuppressed(offerId)) return 'suppressed';
        return redeemed.has(offerId) ? 'redeemed' : undefined;
      };
    },
    ruleFor: (facts, situation) => {
      const { channel, now, occasionId } = situation;
      const unaddressed = whyUnaddressed(facts, situation);
      if (unaddressed !== undefined) return ruleOfAll(unaddressed);
      const unsellable = whyUnsellable(facts, now);
      const isSuppressed = suppressionAt(facts.offerAnswers, dismissals, now);
      const broken = brokenLimit(limitsOn(channel), facts.contacts, now, occasionId);
      const discounts = oneDiscountAtATime ? openDiscounts(facts, now) : noDiscounts;
      return (offer) => {
        if (unsellable !== undefined && isSelling(offer)) return unsellable;
        if (isSuppressed(offer.offerId)) return 'suppressed';
        if (broken !== undefined) return broken;
        if (isOfferCapped(offer, facts, situation)) return 'offer-cap';
        return hasOtherDiscount(offer, discounts) ? 'discount-open' : undefined;
      };
    },
  };
}
