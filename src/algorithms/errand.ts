/** Orders that are one errand: what was forgotten is no rhythm. */

/** A shop's day, from the first customer in to the last one out, in whatever time zone. */
export const errandHours = 16;

/** Are purchases at these two instants (milliseconds since 1970) one errand? */
export function isSameErrand(oneAt: number, otherAt: number): boolean {
  return Math.abs(oneAt - otherAt) < errandHours * 3_600_000;
}
