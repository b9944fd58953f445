/** Policies that the engine is measured against, as a shop without it would have them; and the oracle, who knows the truth. */
import {
  fitLogistic,
  type LogisticRegression,
  logisticLogit,
  sigmoid,
} from '../../../algorithms/logistic-regression.ts';
import { createRng } from '../../../algorithms/rng.ts';
import {
  type ExpectedBasket,
  expectedBasket,
  expectedOfferValueMinor,
} from '../../../simulation/expected-profit.ts';
import type { Journey } from '../../../simulation/journey.ts';
import type { SimulatedOffer } from '../../../simulation/offer-effects.ts';
import { contactCostMinor, type LoopPolicy, type Proposal, YEAR_AFTER_WEEKS } from './closed-loop.ts';
import { type LoggedRow, marginWithin, noOffer, ordered, redeemed, ripeRows } from './decided-log.ts';

const nothing: Proposal = { offer: undefined, propensity: 1, score: 0 };

export const nonePolicy = (): LoopPolicy => ({ name: 'none', propose: (asked) => asked.map(() => nothing) });

/** One of those that the customer may have, or nothing, all alike. */
export function randomPolicy(seed: number): LoopPolicy {
  const rng = createRng('bench decide', seed, 'random');
  return {
    name: 'random',
    propose: (asked) =>
      asked.map(({ candidates }) => {
        const offer = candidates[rng.nextInt(candidates.length + 1)];
        return { offer, propensity: 1 / (candidates.length + 1), score: rng.next() };
      }),
  };
}

/** To each the offer that is likeliest to be redeemed, as campaign engines do. */
export function responsePolicy(): LoopPolicy {
  const models = new Map<number, Classifier>();
  return {
    name: 'response',
    async learn(log, now) {
      // Learning takes long and changes little from week to week.
      if (models.size > 0) return;
      for (const [action, rows] of byAction(ripeRows(log, RESPONSE_DAYS, now)))
        if (action !== noOffer)
          models.set(
            action,
            fitClassifier(rows, (row) => redeemed(log, row)),
          );
    },
    propose: (asked) =>
      asked.map(({ candidates, features }) =>
        best(candidates, (offer) => probabilityOf(models.get(offer.number), features)),
      ),
  };
}

/** Those who are likeliest to leave, first: a quarter of the customers get the retention offer that has kept most. */
export function riskPolicy(): LoopPolicy {
  let risk: Classifier | undefined;
  let kept = new Map<number, number>();
  return {
    name: 'risk',
    async learn(log, now) {
      if (risk !== undefined) return;
      const rows = ripeRows(log, CHURN_DAYS, now);
      risk = fitClassifier(rows, (row) => !ordered(log, row, CHURN_DAYS));
      kept = effectsOfActions(rows, (row) => (ordered(log, row, CHURN_DAYS) ? 1 : 0));
    },
    propose(asked) {
      const risks = asked.map(({ features }) => probabilityOf(risk, features));
      const limit = [...risks].sort((a, b) => b - a)[Math.floor(asked.length * RISK_SHARE)] ?? 0;
      return asked.map(({ candidates }, at) => {
        const retention = candidates.filter(({ offer }) => offer.retention);
        if (risks[at]! < limit || retention.length === 0) return nothing;
        return { ...best(retention, ({ number }) => 1 + (kept.get(number) ?? 0)), score: risks[at]! };
      });
    },
  };
}

/** The one offer that has earned most on average, to all who may have it. */
export function bestSinglePolicy(): LoopPolicy {
  let chosen: number | undefined;
  return {
    name: 'best-single',
    async learn(log, now) {
      if (chosen !== undefined) return;
      const effects = effectsOfActions(ripeRows(log, VALUE_DAYS, now), (row) =>
        marginWithin(log, row, VALUE_DAYS),
      );
      [chosen] = [...effects].sort((a, b) => b[1] - a[1])[0] ?? [];
    },
    propose: (asked) =>
      asked.map(({ candidates }) => {
        const offer = candidates.find(({ number }) => number === chosen);
        return offer === undefined ? nothing : { offer, propensity: 1, score: 1 };
      }),
  };
}

/** The offer of the largest true expectation, if it is above nothing's. */
export function oraclePolicy(): LoopPolicy {
  const baskets = new Map<Journey, ExpectedBasket>();
  return {
    name: 'oracle',
    propose: (asked) =>
      asked.map(({ candidates, journey, now, weeksLeft }) => {
        const basket = baskets.get(journey) ?? expectedBasket(journey);
        baskets.set(journey, basket);
        const when = { at: now, weeks: weeksLeft + YEAR_AFTER_WEEKS, contactCostMinor };
        const proposal = best(candidates, (offer) => expectedOfferValueMinor(journey, basket, offer, when));
        return proposal.score > 0 ? proposal : nothing;
      }),
  };
}

const RESPONSE_DAYS = 15;
const CHURN_DAYS = 60;
const VALUE_DAYS = 60;
const RISK_SHARE = 0.25;

function best(candidates: readonly SimulatedOffer[], scoreOf: (offer: SimulatedOffer) => number): Proposal {
  let proposal: Proposal = nothing;
  for (const offer of candidates) {
    const score = scoreOf(offer);
    if (proposal.offer === undefined || score > proposal.score) proposal = { offer, propensity: 1, score };
  }
  return proposal;
}

function byAction(rows: readonly LoggedRow[]): Map<number, LoggedRow[]> {
  const groups = new Map<number, LoggedRow[]>();
  for (const row of rows) {
    const group = groups.get(row.action);
    if (group === undefined) groups.set(row.action, [row]);
    else group.push(row);
  }
  return groups;
}

/** Self-normalised mean of each action less that of no offer, among those who might have had it. */
function effectsOfActions(
  rows: readonly LoggedRow[],
  rewardOf: (row: LoggedRow) => number,
): Map<number, number> {
  const sums = new Map<number, { weight: number; reward: number }>();
  for (const row of rows) {
    const known = sums.get(row.action) ?? { weight: 0, reward: 0 };
    known.weight += 1 / row.propensity;
    known.reward += rewardOf(row) / row.propensity;
    sums.set(row.action, known);
  }
  const meanOf = (action: number) => {
    const { weight = 0, reward = 0 } = sums.get(action) ?? {};
    return weight > 0 ? reward / weight : 0;
  };
  return new Map(
    [...sums.keys()]
      .filter((action) => action !== noOffer)
      .map((action) => [action, meanOf(action) - meanOf(noOffer)]),
  );
}

type Classifier = { model: LogisticRegression; mean: Float32Array; scale: Float32Array };

/** A ridge that keeps a hundred features of a few thousand rows from being taken for more than they are. */
const RIDGE = 0.02;

function fitClassifier(rows: readonly LoggedRow[], isPositive: (row: LoggedRow) => boolean): Classifier {
  const width = rows[0]?.features.length ?? 0;
  const mean = new Float32Array(width);
  const scale = new Float32Array(width);
  for (const { features } of rows) for (let f = 0; f < width; f++) mean[f]! += features[f]! / rows.length;
  for (const { features } of rows)
    for (let f = 0; f < width; f++) scale[f]! += (features[f]! - mean[f]!) ** 2 / rows.length;
  for (let f = 0; f < width; f++) scale[f] = 1 / Math.sqrt(scale[f]! + 1e-6);
  const inputs = new Float32Array(rows.length * width);
  for (const [r, { features }] of rows.entries()) inputs.set(standardised(features, mean, scale), r * width);
  const labels = Float64Array.from(rows, (row) => (isPositive(row) ? 1 : 0));
  return { model: fitLogistic(inputs, width, labels, RIDGE), mean, scale };
}

function probabilityOf(classifier: Classifier | undefined, features: Float32Array): number {
  if (classifier === undefined) return 0;
  const { model, mean, scale } = classifier;
  return sigmoid(logisticLogit(model, standardised(features, mean, scale), 0));
}

/** Far beyond what is usual counts as just beyond it. */
function standardised(features: Float32Array, mean: Float32Array, scale: Float32Array): Float32Array {
  return features.map((value, f) => Math.max(-4, Math.min(4, (value - mean[f]!) * scale[f]!)));
}
