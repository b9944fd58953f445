/** How large effects are taken to be before the log tells: the scales under which it is likeliest (empirical Bayes). */
import type { EffectPrior } from './effect-posterior.ts';
import type { UpliftLearner } from './uplift-model.ts';

/** Standard deviations of effects that are tried, beside that of what is left of the reward. */
const scales = [1e-4, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128];

/** What is learned about: each has a prior variance for what contact does in general, and one for what an arm has of its own. */
const GROUPS = ['response', 'trees', 'axes', 'fit'] as const;
type Group = (typeof GROUPS)[number];
type Scales = { ownAverage: number; common: Record<Group, number>; own: Record<Group, number> };

export const LEARNED: Record<UpliftLearner, readonly Group[]> = {
  average: [],
  response: ['response'],
  linear: ['response', 'axes', 'fit'],
  trees: GROUPS,
};

/** `size`: numbers that an effect is linear in; `spread`: of what is left of the reward. */
export function toPrior(
  tried: Scales,
  learned: readonly Group[],
  size: number,
  fits: boolean,
  spread: number,
  averageScale: number,
): EffectPrior {
  const fitAt = fits ? size - 1 : -1;
  const variances = (average: number, of: Record<Group, number>) =>
    Float64Array.from({ length: size }, (_, k) => {
      const group: Group = k === 1 ? 'response' : k === 2 ? 'trees' : k === fitAt ? 'fit' : 'axes';
      const scale = k === 0 ? average : learned.includes(group) ? of[group] : scales[0]!;
      return (scale * spread) ** 2;
    });
  const own = variances(tried.ownAverage, tried.own);
  return {
    // Wide: what is left of the response without contact is no effect, and must not be taken for one. Nothing fits there.
    baseline: Float64Array.from({ length: size }, (_, k) => ((k === fitAt ? scales[0]! : 1) * spread) ** 2),
    common: variances(averageScale, tried.common),
    trait: own,
    own,
  };
}

/** Coordinate ascent, over all that the learner learns: each scale goes up or down by a step for as long as that is likelier. */
export function likeliestScales(
  learned: readonly Group[],
  scaleMax: number,
  logEvidence: (tried: Scales) => number,
): Scales {
  const allowed = scales.filter((scale) => scale <= scaleMax);
  const start = (scale: number) => allowed.findLast((other) => other <= scale) ?? scales[0]!;
  let best: Scales = {
    ownAverage: start(0.064),
    common: { response: start(0.004), trees: start(0.004), axes: start(0.004), fit: start(0.004) },
    own: { response: start(0.004), trees: start(0.004), axes: start(0.004), fit: start(0.004) },
  };
  let highest = logEvidence(best);
  const coordinates: { read: (from: Scales) => number; written: (scale: number) => Scales }[] = [
    { read: ({ ownAverage }) => ownAverage, written: (scale) => ({ ...best, ownAverage: scale }) },
    ...learned.flatMap((group) => [
      {
        read: ({ common }: Scales) => common[group],
        written: (scale: number) => ({ ...best, common: { ...best.common, [group]: scale } }),
      },
      {
        read: ({ own }: Scales) => own[group],
        written: (scale: number) => ({ ...best, own: { ...best.own, [group]: scale } }),
      },
    ]),
  ];
  for (let round = 0; round < 5; round++) {
    const before = highest;
    for (const { read, written } of coordinates)
      for (const direction of [1, -1]) {
        const from = read(best);
        for (;;) {
          const next = allowed[allowed.indexOf(read(best)) + direction];
          if (next === undefined) break;
          const tried = written(next);
          const reached = logEvidence(tried);
          if (!(reached > highest)) break;
          highest = reached;
          best = tried;
        }
        // What has gone up need not be tried downwards.
        if (read(best) !== from) break;
      }
    if (highest - before < 0.1) break;
  }
  return best;
}
