/** The gate of the collaborative model, and its figures for the manifest. */
import type { ModelManifest } from '../../domain/manifest.ts';
import { type GateCheck, type GateVerdict, judge } from '../gate.ts';
import type { Champion } from './champion.ts';
import { type Evaluation, type JudgedName, type ProtocolEvaluation, servedOf } from './evaluate.ts';
import { differenceOf, type Judged } from './quality.ts';

const METRICS = [
  ['recallAt10', 'recall@10'],
  ['ndcgAt10', 'NDCG@10'],
] as const;

/**
 * The list that is served must be above popularity beyond doubt, and not below the champion beyond doubt. How it does
 * against the best single source is told: where a source alone is as good, the list is still the shop's best.
 */
export function judgeCandidate({ allPurchases }: Evaluation, champion: Champion, seed: number): GateVerdict {
  const served = servedOf(allPurchases);
  const compare = (against: string, other: Judged, rule: NonNullable<GateCheck['rule']>): GateCheck[] =>
    METRICS.map(([metric, name]) => ({
      metric: name,
      candidate: served.mean()[metric],
      against,
      baseline: other.mean()[metric],
      difference: differenceOf(served, other, metric, seed),
      rule,
    }));
  const checks = [...compare('popularity', judgedOf(allPurchases, 'popularity'), 'above')];
  const [best, bestJudged] = bestSource(allPurchases);
  checks.push(...compare(`the best single source, ${best}`, bestJudged, 'none'));
  if ('evaluation' in champion) {
    const opponent = servedOf(champion.evaluation.allPurchases);
    checks.push(...compare(`the served version ${champion.version}`, opponent, 'notBelow'));
  }
  const remarks = 'skipped' in champion ? [champion.skipped] : [];
  return judge(`collaborative filtering on ${served.customers} customers`, checks, remarks);
}

/** Of the sources alone, the one with the highest mean of recall and NDCG. */
export function bestSource(protocol: ProtocolEvaluation): [JudgedName, Judged] {
  const alone = [...protocol].filter(([name]) => name !== 'fused' && name !== 'ranker');
  const [first] = alone.sort(([, a], [, b]) => b.overall() - a.overall());
  if (first === undefined) throw new RangeError('nobody was judged');
  return first;
}

function judgedOf(protocol: ProtocolEvaluation, name: JudgedName): Judged {
  const judged = protocol.get(name);
  if (judged === undefined) throw new RangeError(`${name} was not judged`);
  return judged;
}

/**
 * `recallAt10` and `ndcgAt10` are those of the list that is served, on all purchases; the others say what they are of.
 */
export function metricsOf({ allPurchases, newItems }: Evaluation, seed: number): ModelManifest['metrics'] {
  const served = servedOf(allPurchases);
  const metrics: Record<string, number> = { ...served.mean(), testCustomers: served.customers };
  for (const [metric] of METRICS) {
    const { lower, upper } = served.interval(metric, seed);
    metrics[`${metric}Lower`] = lower;
    metrics[`${metric}Upper`] = upper;
  }
  addMetrics(metrics, '', allPurchases);
  const servedNew = servedOf(newItems);
  if (servedNew.customers > 0) {
    metrics.newItemsRecallAt10 = servedNew.mean().recallAt10;
    metrics.newItemsNdcgAt10 = servedNew.mean().ndcgAt10;
    metrics.newItemsTestCustomers = servedNew.customers;
    addMetrics(metrics, 'newItems', newItems);
  }
  return metrics;
}

/** What is bought again is nothing new: its sources have no figures there. */
const ownItemSources: readonly JudgedName[] = ['habit', 'buyAgain'];

function addMetrics(metrics: Record<string, number>, prefix: string, protocol: ProtocolEvaluation): void {
  for (const [name, judged] of protocol) {
    if (prefix !== '' && ownItemSources.includes(name)) continue;
    const label = prefix === '' ? name : name.charAt(0).toUpperCase() + name.slice(1);
    const { recallAt10, ndcgAt10 } = judged.mean();
    metrics[`${prefix}${label}RecallAt10`] = recallAt10;
    metrics[`${prefix}${label}NdcgAt10`] = ndcgAt10;
  }
}
