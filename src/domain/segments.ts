/** Names of what the models make of a customer; how each is found is in `algorithms/customer-value`. */

/** By recency, frequency and money, the best first. */
export const RFM_SEGMENTS = [
  'champion',
  'loyal',
  'potentialLoyal',
  'new',
  'promising',
  'needsAttention',
  'atRisk',
  'cannotLose',
  'hibernating',
  'lost',
] as const;
export type RfmSegment = (typeof RFM_SEGMENTS)[number];

/** By value: the lower half, the 30 % above it, the next 15 %, and the best twentieth. */
export const VALUE_TIERS = ['low', 'middle', 'high', 'top'] as const;
export type ValueTier = (typeof VALUE_TIERS)[number];

/**
 * Likewise of the risk, among customers who are not long gone: `critical` are as likely not to come back as the worst twentieth
 * of those; whoever is gone is as a rule among them.
 */
export const RISK_BANDS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskBand = (typeof RISK_BANDS)[number];
