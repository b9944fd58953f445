/** Where a customer lies among those of the shop, by the limits that the customer value model has found. */
import { bandOf, RISK_BANDS, VALUE_TIERS } from '../algorithms/customer-value/bands.ts';
import {
  type CustomerPast,
  type CustomerValueModel,
  customerValue,
} from '../algorithms/customer-value/customer-value-model.ts';
import { rfmScores, rfmSegment } from '../algorithms/customer-value/rfm-segment.ts';
import type { RfmSegment, RiskBand, ValueTier } from '../domain/segments.ts';

/** `risk` of leaving; undefined: not known. A band is absent while its limits are unknown. */
export function segmentsByLimits(
  model: CustomerValueModel,
  past: CustomerPast,
  risk: number | undefined,
  { valueMinor }: { valueMinor: number } = customerValue(model, past),
): { rfmSegment: RfmSegment; valueTier?: ValueTier; riskBand?: RiskBand } {
  const { thresholds } = model;
  const valueTier = VALUE_TIERS[bandOf(thresholds.valueMinor, valueMinor)];
  const riskBand =
    risk === undefined || thresholds.risk.length === 0
      ? undefined
      : RISK_BANDS[bandOf(thresholds.risk, risk)];
  return {
    rfmSegment: rfmSegment(rfmScores(thresholds, past)),
    ...(valueTier !== undefined && { valueTier }),
    ...(riskBand !== undefined && { riskBand }),
  };
}
