/** The integral over the moment τ at which a customer left, in the likelihood of the Pareto/NBD model. */

export type DepartureIntegral = {
  /**
   * J = ∫ ((α + τ) / (α + t_x))^−m ((β + τ) / (β + t_x))^−k dτ from t_x to T; all arguments positive, t_x from 0 up to T.
   * What it finds is in the fields below until it is called again.
   */
  integrate: (alpha: number, beta: number, m: number, k: number, tx: number, T: number) => void;
  /** ln J; −∞ where T = t_x. */
  logIntegral: number;
  /** Means under the integrand: of ln((α + τ) / (α + t_x)), of ln((β + τ) / (β + t_x)), of α / (α + τ) and of β / (β + τ). */
  meanLogAlpha: number;
  meanLogBeta: number;
  meanShareAlpha: number;
  meanShareBeta: number;
};

/** Beyond this many powers of e below its beginning, the integrand adds nothing. */
const cutOff = 50;
/**
 * What a rule can follow to eleven digits: powers of e by which the integrand decays, and a span of ln(c + τ) beside a
 * singularity at distance π. The small rule does for most customers.
 */
const smallRule = { ...gaussLegendre(8), decay: 6, span: 2 };
const largeRule = { ...gaussLegendre(12), decay: 16, span: 4 };

/** With working memory of its own: not to be called from within itself. */
export function createDepartureIntegral(): DepartureIntegral {
  const result: DepartureIntegral = {
    integrate,
    logIntegral: 0,
    meanLogAlpha: 0,
    meanLogBeta: 0,
    meanShareAlpha: 0,
    meanShareBeta: 0,
  };

  function integrate(alpha: number, beta: number, m: number, k: number, tx: number, T: number): void {
    // In v = ln((c + τ) / (c + t_x)), c the smaller of α and β, that factor is an exponential, and the other's
    // singularity is at imaginary part π or farther.
    const alphaFirst = alpha <= beta;
    const near = alphaFirst ? alpha : beta;
    const far = alphaFirst ? beta : alpha;
    const nearPower = alphaFirst ? m : k;
    const farPower = alphaFirst ? k : m;
    const nearStart = near + tx;
    const farStart = far + tx;
    const end = Math.min(
      Math.log1p((T - tx) / nearStart),
      cutOff / nearPower,
      Math.log1p((farStart * Math.expm1(cutOff / farPower)) / nearStart),
    );
    const decay = nearPower * end + farPower * Math.log1p((nearStart * Math.expm1(end)) / farStart);
    const { nodes, weights, ...rule } =
      decay <= smallRule.decay && end <= smallRule.span ? smallRule : largeRule;
    const panels = Math.ceil(Math.max(1, decay / rule.decay, end / rule.span));
    const half = end / (2 * panels);
    let [sum, logNear, logFar, shareNear, shareFar] = [0, 0, 0, 0, 0];
    for (let panel = 0; panel < panels; panel++) {
      const middle = (2 * panel + 1) * half;
      for (let i = 0; i < nodes.length; i++) {
        const v = middle + half * nodes[i]!;
        const grown = Math.expm1(v);
        const lv = Math.log1p((nearStart * grown) / farStart);
        const value = weights[i]! * Math.exp(v - nearPower * v - farPower * lv);
        sum += value;
        logNear += value * v;
        logFar += value * lv;
        shareNear += value / (1 + grown);
        shareFar += value / (farStart + nearStart * grown);
      }
    }
    result.logIntegral = Math.log(sum * half * nearStart);
    const scale = sum > 0 ? 1 / sum : 0;
    const meanLogNear = logNear * scale;
    const meanLogFar = logFar * scale;
    const meanShareNear = (shareNear * scale * near) / nearStart;
    const meanShareFar = shareFar * scale * far;
    result.meanLogAlpha = alphaFirst ? meanLogNear : meanLogFar;
    result.meanLogBeta = alphaFirst ? meanLogFar : meanLogNear;
    result.meanShareAlpha = alphaFirst ? meanShareNear : meanShareFar;
    result.meanShareBeta = alphaFirst ? meanShareFar : meanShareNear;
  }

  return result;
}

/** Gauss and Legendre's rule on [−1, 1]: the roots of Pₙ by Newton's method (Press et al. 2007, § 4.6). */
function gaussLegendre(n: number): { nodes: Float64Array; weights: Float64Array } {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let round = 0; round < 10; round++) {
      let [p, before] = [1, 0];
      for (let j = 1; j <= n; j++) [p, before] = [((2 * j - 1) * x * p - (j - 1) * before) / j, p];
      slope = (n * (x * p - before)) / (x * x - 1);
      x -= p / slope;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
