/** Lengths of time in milliseconds. A day is 24 hours: everything here is reckoned in UTC, which knows no summer time. */
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** No shop's log reaches back further; an instant in seconds, taken for milliseconds, falls before it. */
export const earliestMs = Date.UTC(1990, 0, 1);
