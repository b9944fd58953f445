/** When a decision was made, as its id tells (`decide/decision-id.ts`). */

const VERSION_7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** In milliseconds since 1970; undefined for an id that does not tell. */
export function timeOfDecision(decisionId: string): number | undefined {
  const [, high, low] = VERSION_7.exec(decisionId) ?? [];
  return high === undefined ? undefined : Number.parseInt(`${high}${low}`, 16);
}
