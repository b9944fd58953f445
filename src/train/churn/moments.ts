/**
 * When customers are looked at to learn from, and how far ahead each time. Everything that is learnt lies before one
 * instant, `end`, at which the model is to be asked: a look at `at` for `horizonMs` is there only if at + horizonMs ≤ end.
 *
 * All that the network sees is measured in horizons (`algorithms/churn-inputs.ts`), so that a shorter horizon can stand
 * for one that has no place in the log, if the look is of the same shape: as much past, in horizons, as there will be
 * at `end`. With S = end − from and H the horizon in question, h = S·H / (S + H) has exactly that shape when it is looked at
 * the last time it fits,
 *
 *   from ─────────────── at ──h──► end ─────H─────►        (at − from) / h = (end − from) / H
 *
 * and looks of nearly that shape, with h a little shorter or `at` earlier or the horizon H itself, are learnt from besides.
 */
import { dayMs } from '../../domain/time.ts';

export type Look = { at: number; horizonMs: number };

/** Past in horizons, beside that at `end`. */
const shapeMin = 0.6;
const shapeMax = 1.7;
/** Of the horizon of the same shape. */
const shrinks = [1, 0.8] as const;
/** Two looks at one horizon are that much of it apart: their labels overlap, which is harmless among what is learnt. */
const stride = 0.15;
const looksMax = 6;

/**
 * All in milliseconds; `most` looks at each of up to three horizons. Ascending by instant; empty where the log is too short.
 */
export function looksBefore(from: number, end: number, horizonMs: number, most = looksMax): Look[] {
  const span = end - from;
  const shape = span / horizonMs;
  const sameShape = (span * horizonMs) / (span + horizonMs);
  const horizons = new Set([horizonMs, ...shrinks.map((shrink) => wholeDays(sameShape * shrink))]);
  const looks: Look[] = [];
  for (const horizon of horizons) {
    if (horizon < dayMs) continue;
    const step = Math.max(dayMs, wholeDays(horizon * stride));
    for (let at = end - horizon, count = 0; at > from && count < most; at -= step) {
      const past = (at - from) / horizon / shape;
      if (past < shapeMin) break;
      if (past > shapeMax) continue;
      looks.push({ at, horizonMs: horizon });
      count++;
    }
  }
  return looks.sort((a, b) => a.at - b.at || a.horizonMs - b.horizonMs);
}

/** What is known of a log may be no more than the day. */
function wholeDays(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}
