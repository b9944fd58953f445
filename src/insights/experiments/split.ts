/** Groups that chance has divided the customers into, and since when it matters: what a readout compares. */
import { cutOff, cutOffs, drawRange, SALTS } from '../../algorithms/split.ts';
import type { DecisionPolicy, Experiment } from '../../domain/decision-policy.ts';
import { concernsOffers, concernsOffersAlone } from '../../domain/experiment-scope.ts';
import { sqlText } from '../../history/lake.ts';
import { controlGroupMark, experimentMark, type Mark } from './known-since.ts';

/** Milliseconds since 1970. `end` undefined = it goes on. */
export type Span = { from: number; end: number | undefined };

export type Split = Span & {
  /** In order; the others are compared with the first. */
  groups: readonly { name: string; weight: number }[];
  /** SQL over `customerId`: number of the customer's group; NULL = takes no part. */
  groupOf: string;
  /** How logged decisions tell that it was known to the policy that made them; undefined = none tells. */
  mark?: Mark;
};

/** The groups of the control group's and offers' holdouts. */
const WITHOUT = 'without';
export const WITH = 'with';

/** Variants of an experiment, in which the control group takes no part: the same as `compileExperiments` decides by. */
export function experimentSplit(experiment: Experiment, { controlGroupShare }: DecisionPolicy): Split {
  const salt = SALTS.experiment(experiment.name);
  const takesPart = [
    ...(controlGroupShare > 0 ? [`${draw(SALTS.controlGroup, 'x')} >= ${cutOff(controlGroupShare)}`] : []),
    ...(experiment.share < 1 ? [`${draw(salt, 'x')} < ${cutOff(experiment.share)}`] : []),
  ];
  // How many of the ends between two variants the draw has passed.
  const ends = cutOffs(experiment.variants.map(({ weight }) => weight)).slice(0, -1);
  const group = ends.map((end) => `(${draw(salt, 'y')} >= ${end})::INTEGER`).join(' + ');
  const isOnThem = takesPart.length === 0 ? 'true' : takesPart.join(' AND ');
  return {
    from: Date.parse(experiment.from),
    end: experiment.to === undefined ? undefined : Date.parse(experiment.to),
    groups: experiment.variants.map(({ name, weight }) => ({ name, weight })),
    groupOf: takesPart.length === 0 ? group : `CASE WHEN ${isOnThem} THEN ${group} END`,
    // Pages of recommendations are not logged.
    ...(concernsOffers(experiment) && {
      mark: { ...experimentMark(experiment.name, concernsOffersAlone(experiment)), isOnThem },
    }),
  };
}

/** Who gets no offer at all, and everybody else. */
export function controlGroupSplit({ controlGroupShare }: DecisionPolicy, span: Span): Split {
  const isOnThem = `${draw(SALTS.controlGroup, 'x')} < ${cutOff(controlGroupShare)}`;
  return {
    ...holdout(SALTS.controlGroup, controlGroupShare, span),
    mark: { ...controlGroupMark, isOnThem },
  };
}

/** Who never gets this offer, and everybody else; the control group, which gets none, is left out. */
export function offerHoldoutSplit(
  offer: { offerId: string; holdoutShare: number },
  { controlGroupShare }: DecisionPolicy,
  span: Span,
): Split {
  const split = holdout(SALTS.offerHoldout(offer.offerId), offer.holdoutShare, span);
  if (controlGroupShare === 0) return split;
  const takesPart = `${draw(SALTS.controlGroup, 'x')} >= ${cutOff(controlGroupShare)}`;
  return { ...split, groupOf: `CASE WHEN ${takesPart} THEN ${split.groupOf} END` };
}

function holdout(salt: string, share: number, span: Span): Split {
  return {
    ...span,
    groups: [
      { name: WITHOUT, weight: cutOff(share) / drawRange },
      { name: WITH, weight: 1 - cutOff(share) / drawRange },
    ],
    groupOf: `CASE WHEN ${draw(salt, 'x')} < ${cutOff(share)} THEN 0 ELSE 1 END`,
  };
}

/** `drawsOf` in SQL. */
export function draw(salt: string, which: 'x' | 'y', id = 'customerId'): string {
  const firstDigit = which === 'x' ? 1 : 9;
  return `('0x' || substr(sha256(${sqlText(`${salt}:`)} || ${id}), ${firstDigit}, 8))::BIGINT`;
}
