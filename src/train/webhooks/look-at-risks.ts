/** Customers as they have just been scored, held against the bound: after an event of theirs, and in the night everybody. */
import type { ChurnModel } from '../../algorithms/churn-model.ts';
import type { ScoredCustomer } from '../scores/score-customers.ts';
import { riskReasons } from './known-customer.ts';
import { type CrossingDeps, riskCrossings, type SeenRisk } from './risk-crossings.ts';

/** Answers how many have crossed the bound; they are in the outbox. `churn` is the model that has scored them. */
export async function lookAtRisks(
  deps: Omit<CrossingDeps, 'horizonDays'>,
  churn: ChurnModel,
  scored: readonly ScoredCustomer[],
): Promise<number> {
  const seen: SeenRisk[] = [];
  for (const { customerId, record, scores } of scored) {
    if (scores.churn === null) continue;
    const reasons = () => riskReasons(churn, record, deps.now);
    seen.push({ customerId, risk: scores.churn.risk, reasons });
  }
  return riskCrossings({ ...deps, horizonDays: churn.horizonDays }, seen);
}
