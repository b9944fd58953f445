import { z } from 'zod';
import { Channel } from './channel.ts';
import { CustomerId, OfferId } from './ids.ts';

/** Why an offer was not made. Stable: e-mail tools and dashboards count by it. */
export const EXCLUSION_REASONS = [
  'not-yet-valid',
  'no-longer-valid',
  'channel-not-allowed',
  'placement-not-allowed',
  'no-consent',
  'out-of-stock',
  'tier-not-allowed',
  'segment-not-allowed',
  'feature-rule-failed',
  'complaint-open',
] as const;
export const ExclusionReason = z.enum(EXCLUSION_REASONS);
export type ExclusionReason = z.output<typeof ExclusionReason>;

export const DecidedOffer = z.object({
  offerId: OfferId,
  name: z.string(),
  /** Rank value, in minor units: acceptPropensity × value, by churn risk, affinity and lever. */
  priority: z.number(),
  acceptPropensity: z.number().min(0).max(1),
  reasons: z.array(z.string()),
  content: z.record(z.string(), z.string()),
});
export type DecidedOffer = z.output<typeof DecidedOffer>;

/** A decision, as it is answered and logged. `offers` is empty when saying nothing is best. */
export const Decision = z.object({
  decisionId: z.string(),
  customerId: CustomerId,
  channel: Channel,
  placement: z.string(),
  campaign: z.string().optional(),
  decidedAt: z.iso.datetime(),
  offers: z.array(DecidedOffer),
  excluded: z.array(z.object({ offerId: OfferId, reasonCode: ExclusionReason })),
  /** true: nothing was eligible (or the service is degraded) and the fallback offer stands in. */
  fallback: z.boolean(),
  degraded: z.boolean(),
  modelVersions: z.record(z.string(), z.string()),
});
export type Decision = z.output<typeof Decision>;
