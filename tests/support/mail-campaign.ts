/**
 * A randomised e-mail campaign whose truth is known, of the shape of Hillstrom's (2008): two e-mails and none at a third each, a
 * tenth visits, few convert, and what they spend has a long tail. Effects differ weakly between customers, and some are driven away.
 */
import { createRng, cumulativeWeights, type Rng } from '../../src/algorithms/rng.ts';

export const MAIL_ARMS = ['none', 'mens', 'womens'] as const;
/** `proportional`: e-mails bring more to those who come anyway; `persuadable`: to those who would not, and drive loyal ones away; `same`: to all alike. */
export type MailWorld = 'proportional' | 'persuadable' | 'same';

export type MailCustomer = {
  recency: number;
  history: number;
  segment: string;
  mens: 0 | 1;
  womens: 0 | 1;
  zip: string;
  newbie: 0 | 1;
  channel: string;
  /** Position among MAIL_ARMS. */
  arm: number;
  visit: number;
  conversion: number;
  spend: number;
  /** Expected visit, conversion and spend under each arm. */
  truth: { visit: number[]; conversion: number[]; spend: number[] };
};

export type MailReward = 'visit' | 'conversion' | 'spend';

const zips = ['Surburban', 'Urban', 'Rural'];
const channels = ['Phone', 'Web', 'Multichannel'];
const segmentEdges = [100, 200, 350, 500, 750, 1000];

export function mailCampaign(world: MailWorld, customers: number, seed: number): MailCustomer[] {
  const rng = createRng(seed, 'mail', world);
  return Array.from({ length: customers }, () => customerOf(world, rng));
}

function customerOf(world: MailWorld, rng: Rng): MailCustomer {
  const recency = 1 + rng.nextInt(12);
  const history = Math.max(29.99, Math.exp(5 + 1.0 * rng.normal()));
  const buys = rng.next();
  const [mens, womens] = buys < 0.45 ? [1, 0] : buys < 0.9 ? [0, 1] : [1, 1];
  const zip = zips[rng.categorical(cumulativeWeights([0.45, 0.4, 0.15]))]!;
  const newbie = rng.chance(0.5) ? 1 : 0;
  const channel = channels[rng.categorical(cumulativeWeights([0.44, 0.44, 0.12]))]!;
  const loyal = (6.5 - recency) / 6 + 0.6 * (Math.log(history) - 5) - 0.5 * newbie;
  const hidden = 0.5 * rng.normal();
  const base = -2.25 + 0.35 * loyal + (channel === 'Web' ? 0.2 : 0) + (zip === 'Rural' ? 0.3 : 0) + hidden;
  const bent = { proportional: 0.15 * loyal, persuadable: -0.45 * loyal, same: 0 }[world];
  const taste = world === 'same' ? 0 : 1;
  const shift = [0, 0.6 + bent + taste * 0.1 * (mens - 0.5), 0.4 + bent + taste * 0.5 * (womens - 0.5)];
  const visits = shift.map((effect) => 1 / (1 + Math.exp(-base - effect)));
  const buying = 0.055 * Math.exp(0.2 * loyal);
  const basket = 100 * Math.exp(0.1 * (Math.log(history) - 5));
  const truth = {
    visit: visits,
    conversion: visits.map((p) => p * buying),
    // exp(σ²/2) of a lognormal with σ = 0.8
    spend: visits.map((p) => p * buying * basket * Math.exp(0.32)),
  };
  const arm = rng.nextInt(3);
  const visit = rng.chance(visits[arm]!) ? 1 : 0;
  const conversion = visit === 1 && rng.chance(buying) ? 1 : 0;
  return {
    recency,
    history: Math.round(100 * history) / 100,
    segment: `${1 + segmentEdges.filter((edge) => history >= edge).length}`,
    mens: mens as 0 | 1,
    womens: womens as 0 | 1,
    zip,
    newbie,
    channel,
    arm,
    visit,
    conversion,
    spend: conversion === 1 ? Math.round(100 * basket * Math.exp(0.8 * rng.normal())) / 100 : 0,
    truth,
  };
}

const columnsOfMail = (c: MailCustomer): number[] => [
  c.recency,
  c.history,
  c.mens,
  c.womens,
  c.newbie,
  ...zips.map((zip) => (c.zip === zip ? 1 : 0)),
  ...channels.map((channel) => (c.channel === channel ? 1 : 0)),
  ...Array.from({ length: 7 }, (_, s) => (c.segment === `${s + 1}` ? 1 : 0)),
];

/** As the learners take it. */
export function mailLog(customers: readonly MailCustomer[], reward: MailReward) {
  const columns = columnsOfMail(customers[0]!).length;
  return {
    rows: customers.length,
    columns,
    contexts: Float32Array.from(customers.flatMap(columnsOfMail)),
    arm: Int32Array.from(customers, ({ arm }) => arm - 1),
    propensity: new Float64Array(customers.length).fill(1 / 3),
    reward: Float64Array.from(customers, (c) => c[reward]),
  };
}

/** True mean effect among the share of highest score, under the arm (position among MAIL_ARMS) that each would get. */
export function trueUpliftAt(
  customers: readonly MailCustomer[],
  reward: MailReward,
  score: ArrayLike<number>,
  arm: ArrayLike<number>,
  share: number,
): number {
  const order = customers.map((_, n) => n).sort((a, b) => score[b]! - score[a]!);
  const top = order.slice(0, Math.round(share * order.length));
  const effects = top.map((n) => customers[n]!.truth[reward][arm[n]!]! - customers[n]!.truth[reward][0]!);
  return effects.reduce((sum, effect) => sum + effect, 0) / top.length;
}
