/**
 * What the churn network sees of a customer who is looked at for a horizon of h days: the feature vector, and what the
 * probability models of a customer base make of the purchases.
 *
 * Whatever is a time is measured in horizons, and whatever is a rate in orders a horizon. So the same customer looks the
 * same at twice the horizon and half the pace, one network serves every horizon, and a horizon longer than any that the log
 * has room for is nothing new to it.
 */
import { mbgNbd } from './customer-base/beta-geometric.ts';
import { paretoNbd } from './customer-base/pareto-nbd.ts';
import { logit } from './logistic-regression.ts';

export type PurchaseParameters = {
  mbgNbd: { r: number; alpha: number; a: number; b: number };
  paretoNbd: { r: number; alpha: number; s: number; beta: number };
};

/** Come first, in this order; the features follow, in that of their vector. */
export const DERIVED_INPUTS = [
  'mbgNbdLogit',
  'paretoNbdLogit',
  'mbgNbdAliveLogit',
  'paretoNbdAliveLogit',
  'expectedOrders',
  'expectedOrders30',
  'expectedOrders90',
  'expectedOrders360',
] as const;

/**
 * No model is surer than 19 to 1: a frequent buyer's long silence makes the probability models all but certain that she has
 * left, which is more than silent customers bear out, and one such logit would outweigh all others.
 */
const logitMax = 3;
/** A time of one horizon is that many units: the logarithm of 1 + time is then nearly that of the time. */
const unitsInHorizon = 30;
const halfLivesDays = [30, 90, 360] as const;

/** Does the feature measure a time, in days? */
export function isTime(featureName: string): boolean {
  return /Days$|^daysSince/.test(featureName);
}

export type InputWriter = {
  /** Names of the inputs, in order. */
  readonly names: readonly string[];
  /** Writes to `out[at …]` what the vector at `vector[from …]` is for that horizon. All are finite. */
  write: (vector: Float32Array, from: number, horizonDays: number, out: Float32Array, at: number) => void;
};

/** Throws where the features lack what the probability models need. */
export function createInputWriter(
  featureNames: readonly string[],
  parameters: PurchaseParameters,
): InputWriter {
  const times = Uint8Array.from(featureNames, (name) => (isTime(name) ? 1 : 0));
  const indexOf = (name: string) => {
    const index = featureNames.indexOf(name);
    if (index < 0) throw new Error(`it needs the feature ${name}`);
    return index;
  };
  const repeatsAt = indexOf('repeatErrands');
  const firstToLastAt = indexOf('firstToLastOrderDays');
  const ageAt = indexOf('daysSinceFirstOrder');
  const gapLogMeanAt = indexOf('gapLogMean');
  const recentAt = halfLivesDays.map((halfLife) => indexOf(`recentErrands${halfLife}`));
  const mbg = mbgNbd.given(parameters.mbgNbd);
  const pareto = paretoNbd.given(parameters.paretoNbd);
  return {
    names: [...DERIVED_INPUTS, ...featureNames],
    write: (vector, from, horizonDays, out, at) => {
      const x = vector[from + repeatsAt]!;
      const T = Math.max(shortestAge, vector[from + ageAt]!);
      const tx = x > 0 ? Math.min(vector[from + firstToLastAt]!, T) : 0;
      let n = at;
      out[n++] = boundedLogit(mbg.noPurchaseProbability(x, tx, T, horizonDays));
      out[n++] = boundedLogit(pareto.noPurchaseProbability(x, tx, T, horizonDays));
      out[n++] = boundedLogit(mbg.probabilityAlive(x, tx, T));
      out[n++] = boundedLogit(pareto.probabilityAlive(x, tx, T));
      out[n++] = Math.log1p((x * horizonDays) / T);
      for (const [i, halfLife] of halfLivesDays.entries()) {
        // At an even pace since the first order, the decayed count is pace · halfLife / ln 2 · (1 − 2^(−T / halfLife)).
        const days = (halfLife / Math.LN2) * -Math.expm1((-Math.LN2 * T) / halfLife);
        out[n++] = Math.log1p((vector[from + recentAt[i]!]! * horizonDays) / days);
      }
      for (let j = 0; j < times.length; j++) {
        const value = vector[from + j]!;
        out[n + j] = signedLog(times[j] === 1 ? (value * unitsInHorizon) / horizonDays : value);
      }
      // The logarithm of a time already.
      out[n + gapLogMeanAt] = x > 0 ? vector[from + gapLogMeanAt]! - Math.log(horizonDays) : 0;
    },
  };
}

/** Days: a customer who came this minute has an age too. */
const shortestAge = 1e-3;

function boundedLogit(p: number): number {
  return Math.max(-logitMax, Math.min(logitMax, logit(p)));
}

/** sign(x)·ln(1 + |x|): tames amounts and counts, leaves shares nearly as they are. */
function signedLog(x: number): number {
  return x < 0 ? -Math.log1p(-x) : Math.log1p(x);
}
