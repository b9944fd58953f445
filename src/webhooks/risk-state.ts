/**
 * Whether a customer's risk has crossed the bound. With hysteresis: once above, it must fall below four fifths of the bound
 * before it can cross again, so that a risk that wavers about the bound is told of once.
 */

/**
 * `since`: when it was first seen below, milliseconds since 1970, and kept while it is above: it names the crossing. Of a
 * customer who was above when first seen, when that was.
 */
export type RiskState = { above: boolean; since: number };

const rearmShare = 0.8;

/**
 * The state after `risk` was seen at `now`, and whether that is a crossing. Without a state, where the customer stands is only
 * taken down: nobody is told of all who have long been above.
 */
export function seeRisk(
  state: RiskState | undefined,
  risk: number,
  bound: number,
  now: number,
): { state: RiskState; crossed: boolean } {
  const isAbove = risk > bound;
  if (state === undefined) return { state: { above: isAbove, since: now }, crossed: false };
  if (!state.above && isAbove) return { state: { above: true, since: state.since }, crossed: true };
  if (state.above && risk < rearmShare * bound)
    return { state: { above: false, since: now }, crossed: false };
  return { state, crossed: false };
}

/** `+1700000000000`: above, of the crossing so named; `-…`: below, since then. */
export function encodeRiskState({ above, since }: RiskState): string {
  return `${above ? '+' : '-'}${since}`;
}

/** undefined: not a state. */
export function decodeRiskState(text: string | null | undefined): RiskState | undefined {
  const match = /^([+-])(\d+)$/.exec(text ?? '');
  return match === null ? undefined : { above: match[1] === '+', since: Number(match[2]) };
}
