import { dayMs } from '../domain/time.ts';
/** Where to cut a log in time, so that a model is judged on what came after everything that it saw. */

export type TemporalSplit = {
  /** Hyper-parameters are chosen by fitting before it and ranking what comes up to `testFrom`. */
  validationFrom: number;
  /** The test set: from here on. Nothing of it takes part in fitting or choosing. */
  testFrom: number;
  /** The last event of the log. */
  until: number;
};

/**
 * Test and validation each take `windowDays`, or `maxShare` of the log's length where that is shorter. Times are
 * milliseconds since 1970, `first` and `last` those of the first and last event.
 */
export function temporalSplit(first: number, last: number, windowDays = 28, maxShare = 0.2): TemporalSplit {
  const windowMs = Math.min(windowDays * dayMs, (last - first) * maxShare);
  return { validationFrom: last - 2 * windowMs, testFrom: last - windowMs, until: last };
}
