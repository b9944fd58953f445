/**
 * How a new offer model comes to be served, in the worker's job and in the bench alike: a first one learns from the earlier
 * decisions and is tried on the later ones beside what is served; where it passes the gate, one that has learnt from all of
 * them takes its place.
 */
import { pickLog } from '../../algorithms/offer-model/offer-log.ts';
import type { OfferModel } from '../../algorithms/offer-model/offer-model.ts';
import { noContact } from '../../algorithms/uplift/uplift-log.ts';
import type { OfferCounts } from '../../offers/accept-propensity.ts';
import { judgePolicy, type PolicyJudgement } from './judge-policy.ts';
import { countsOf, type OfferSamples } from './samples.ts';
import { dividedAt } from './split-decisions.ts';
import type { PolicyTrial } from './try-policies.ts';

/** Of decisions with an offer and of those without one, to learn from and to try policies on. */
const decisionsMin = 200;

export type GateOptions = {
  samples: OfferSamples;
  /** The later decisions begin here, milliseconds since 1970; the earlier ones' windows had passed by then. */
  splitAt: number;
  windowMs: number;
  /** From these decisions; the same random numbers each time, so that both fits draw alike. */
  learn: (log: OfferSamples['log'], decisions: 'earlier' | 'all') => Promise<OfferModel>;
  /** What candidate and champion would have done in these rows; `counts`: what was known of each offer at the split. */
  tryOn: (
    later: Int32Array,
    of: { candidate: OfferModel; counts: (offerId: string) => OfferCounts },
  ) => PolicyTrial | Promise<PolicyTrial>;
  /** As a person reads it. */
  championName: string;
  /** What the later decisions are besides, as a person reads it: `, which …`. */
  laterAre?: string;
};

/**
 * `shortage`: too little was decided to say anything. `learnFromAll`: the model that is published; it knows which offers are
 * withheld.
 */
export type GateOutcome =
  | { shortage: string }
  | (PolicyJudgement & {
      shortage?: undefined;
      learnDecisions: number;
      learnFromAll: () => Promise<OfferModel>;
    });

export async function passGate(options: GateOptions): Promise<GateOutcome> {
  const { samples, splitAt, windowMs, learn, tryOn, championName, laterAre = '' } = options;
  const { earlier, later } = dividedAt(samples, splitAt, windowMs);
  const shortage = shortageOf(samples, { 'learn from': earlier, [`test on${laterAre}`]: later });
  if (shortage !== undefined) return { shortage };
  const known = pickLog({ ...samples.log, churned: samples.churnedBySplit }, earlier);
  const candidate = await learn(known, 'earlier');
  const trial = await tryOn(later, { candidate, counts: countsOf(samples, earlier) });
  const judgement = judgePolicy(trial, championName);
  const { withheld } = judgement;
  return {
    ...judgement,
    learnDecisions: earlier.length,
    learnFromAll: async () => ({ ...(await learn(samples.log, 'all')), withheld }),
  };
}

/** Decisions that there are too few of, as a person reads it. */
function shortageOf({ log }: OfferSamples, sets: Readonly<Record<string, Int32Array>>): string | undefined {
  for (const [purpose, rows] of Object.entries(sets)) {
    const alone = rows.reduce((sum, row) => sum + (log.offer[row] === noContact ? 1 : 0), 0);
    for (const [what, count] of [
      ['with an offer', rows.length - alone],
      ['without one', alone],
    ] as const)
      if (count < decisionsMin)
        return `too few decisions ${what} to ${purpose}: ${count} of at least ${decisionsMin}`;
  }
  return undefined;
}
