/** How good risks of churn are, by the measures that a table of models has columns for. */
import {
  auc,
  brierScore,
  expectedCalibrationError,
  liftTopDecile,
  logLoss,
  prAuc,
} from '../../algorithms/classification-metrics.ts';

export type RiskFigures = {
  auc: number;
  /** Average precision. */
  prAuc: number;
  brier: number;
  logLoss: number;
  /** Expected calibration error, ten bins. */
  ece: number;
  /** Share of the lost among the tenth of highest risk, over the share among all. */
  liftTopDecile: number;
};

/** No probability may be so sure that one surprise costs an infinite loss. */
const surest = 1e-6;

/** `risks` of no purchase within the horizon; `lost` is 1 where there was none. */
export function measureRisks(risks: Float64Array, lost: Uint8Array): RiskFigures {
  const bounded = risks.map((risk) => Math.max(surest, Math.min(1 - surest, risk)));
  return {
    auc: auc(risks, lost),
    prAuc: prAuc(risks, lost),
    brier: brierScore(risks, lost),
    logLoss: logLoss(bounded, lost),
    ece: expectedCalibrationError(risks, lost),
    liftTopDecile: liftTopDecile(risks, lost),
  };
}
