/**
 * How far a minimum basket keeps a customer from an offer: P(an order reaches the minimum | it is as large as her usual one).
 *
 * Of orders nothing is known here but their mean; what then assumes least is the exponential distribution (of all on [0, ∞) with that
 * mean it has the largest entropy: Jaynes 1957), by which this is exp(1 − minimum / usual), and 1 where the minimum is not above.
 * It falls faster than an order that is raised to the minimum grows: no minimum makes an offer worth more than it would be without, but for
 * what it saves.
 */
export function minBasketReach(minBasketMinor: number | undefined, usualMinor: number): number {
  if (minBasketMinor === undefined || minBasketMinor <= usualMinor) return 1;
  return usualMinor > 0 ? Math.exp(1 - minBasketMinor / usualMinor) : 0;
}
