/** What a caller was promised while processes were killed: what may not be lost, and what may be there at all. */

export type SentEvent = { type: string; customerId: string; occurredAt: number; lines: number };

export type Promises = {
  /** Every event that was ever sent, or was to follow from what was sent (outcomes of offers), by its id. */
  sent: Map<string, SentEvent>;
  /** Ids of those that were acknowledged. */
  acknowledged: Set<string>;
  /** Ids of decisions that were answered. */
  decisions: Set<string>;
  /**
   * By offer: the purchases that redeemed it, each of which counts once at most; and of what was acknowledged the reservations, and the
   * purchases that came second, which cost besides: each counts once.
   */
  redemptions: Map<string, { reported: Set<string>; acknowledged: Set<string> }>;
  /** Ids of jobs that were accepted. */
  jobs: Set<string>;
  /** Answers that no fault excuses: anything but success, 429 and 503. */
  unexpected: string[];
  /** Requests, and those of them that were refused (429, 503) or got no answer. */
  requests: number;
  refused: number;
  unanswered: number;
};

export function noPromises(): Promises {
  return {
    sent: new Map(),
    acknowledged: new Set(),
    decisions: new Set(),
    redemptions: new Map(),
    jobs: new Set(),
    unexpected: [],
    requests: 0,
    refused: 0,
    unanswered: 0,
  };
}
