/**
 * The instants at which customers are looked at. At each, features see what came before, the label what came within one
 * horizon after. Each set's labels end before the next set begins:
 *
 *   learn … learn   learn ──horizon──► calibrate ──horizon──► test ──horizon──► end of the history
 */
export type ChurnCutoffs = {
  /** Ascending; at least one. Their horizons may overlap, since they are learnt from together. */
  learn: readonly number[];
  calibrate: number;
  /** The last instant whose horizon is complete. */
  test: number;
};

const learnMax = 6;

/** `from` is the first purchase, `to` the last event. The history must be five horizons long. All in milliseconds. */
export function churnCutoffs(from: number, to: number, horizonMs: number): ChurnCutoffs {
  // One past the last event: an event at `to` lies within the last horizon.
  const test = to + 1 - horizonMs;
  const calibrate = test - horizonMs;
  const last = calibrate - horizonMs;
  const learn: number[] = [];
  // Whoever is looked at should have had a horizon's time to show a rhythm.
  for (let cutoff = last; cutoff >= from + horizonMs && learn.length < learnMax; cutoff -= horizonMs / 2)
    learn.unshift(cutoff);
  if (learn.length === 0) throw new Error('the history is shorter than five horizons');
  return { learn, calibrate, test };
}
