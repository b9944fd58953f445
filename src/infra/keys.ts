/**
 * Every Redis key, from one place. Keys of one customer share the hash tag `{c:ID}`, so that a script may touch
 * them together on Redis Cluster. The record's key carries the feature schema: a new layout is a miss, not a misread.
 */

export type Keys = ReturnType<typeof createKeys>;

/** `subjectId` is a customer's id, or `session:<sessionId>` for a guest. */
export function createKeys(prefix: string) {
  return {
    /** Stream: the durable log of accepted events, until the drain has them in the lake. */
    eventStream: `${prefix}:events`,
    /** String: stream id up to which the drain has written the lake. */
    drainedThrough: `${prefix}:events:drained`,
    /** String with an expiry: the process that drains. */
    drainLock: `${prefix}:events:drain-lock`,
    /** Set: customers whose record must be rebuilt from the lake. */
    staleCustomers: `${prefix}:records:stale`,
    /** Set: of those, the ones that a rebuild is at work on. */
    rebuildingCustomers: `${prefix}:records:rebuilding`,
    /** Set of whole numbers: some of the customers whose record was let go, by hashes; `set` says which of the sets. */
    goneCustomers: (set: string) => `${prefix}:records:gone:${set}`,
    /** Hash: hash of a customer's (or guest's) id → when the erasure was asked for, milliseconds since 1970. */
    erasedSubjects: `${prefix}:erased`,
    /** String: a worker has put into this Redis who has been erased; not there: it has come back empty. */
    remembersErased: `${prefix}:erased-restored`,
    /** String with an expiry: an event that was erased, by a hash of its subject and id. */
    erasedEvent: (hash: string) => `${prefix}:erased:${hash}`,
    /** Stream (capped): entries of the event stream that no version here could read, put aside. */
    unreadableEntries: `${prefix}:events:unreadable`,
    /** String: schema of the records that were last built for everybody. */
    recordsBuilt: `${prefix}:records:built`,
    /** Set: every schema that records were ever built of. */
    recordSchemas: `${prefix}:records:schemas`,
    /** Pattern (of SCAN) of everything that is kept beside a customer's or guest's record, and what comes before the id in it. */
    ofSubjects: { pattern: `${prefix}:{c:*`, start: `${prefix}:{c:` },
    /** String (binary): one customer's record. */
    record: (schema: string, subjectId: string) => `${prefix}:{c:${subjectId}}:record:${schema}`,
    /** String (binary) with an expiry: a page of recommendations that is ready for this customer; `slot` says which. */
    preparedPage: (subjectId: string, slot: string) => `${prefix}:{c:${subjectId}}:page:${slot}`,
    /** Hash with an expiry: a hash of an event's id → the stream id under which it was first applied. */
    eventMarkers: (subjectId: string) => `${prefix}:{c:${subjectId}}:events`,
    /** String with an expiry: the customer whom the session's guest has turned out to be. */
    mergedInto: (subjectId: string) => `${prefix}:{c:${subjectId}}:merged`,
    /** List with an expiry: a guest's events with their stream ids, as JSON, until the guest logs in. */
    guestEvents: (subjectId: string) => `${prefix}:{c:${subjectId}}:told`,
    /** Hash with an expiry: id of a notice → what the customer complained of, until it has been told. */
    complaintTopics: (subjectId: string) => `${prefix}:{c:${subjectId}}:complaints`,
    /** String (JSON): what sells best, as the last refresh counted it. */
    bestSellers: `${prefix}:best-sellers`,
    /** Hash: item id → when it changed, a colon, the item as JSON (nothing = deleted). */
    items: `${prefix}:items`,
    /** Hash: offer id → likewise. */
    offers: `${prefix}:offers`,
    /** Hash: version of an offer → when it was first saved, a colon, the offer as JSON. */
    offerVersions: (offerId: string) => `${prefix}:{offer:${offerId}}:versions`,
    /** Stream (capped): what changed in the catalogue, for every process that keeps a copy. */
    catalogueChanges: `${prefix}:catalogue:changes`,
    /** String (JSON) with an expiry: the decision that stands for this customer, campaign, channel and placement. */
    standingDecision: (subjectId: string, slot: string) => `${prefix}:{c:${subjectId}}:decision:${slot}`,
    /** Strings with an expiry beside it (`standing` is its key): who decides; under which id; and all of it until it has been logged. */
    standingLock: (standing: string) => `${standing}:deciding`,
    standingAttempt: (standing: string) => `${standing}:attempt`,
    standingWhole: (standing: string) => `${standing}:whole`,
    /** Hash with an expiry: ids of some of a day's logged decisions → their outlines (binary); `part` says which. */
    decisions: (part: string) => `${prefix}:decisions:${part}`,
    /** Hash with an expiry: offer id, outcome and event id → what was reported, as JSON. */
    decisionOutcomes: (decisionId: string) => `${prefix}:decision:${decisionId}:outcomes`,
    /** Hash: version of a decision policy → when a process last said that it decides by it, milliseconds since 1970. */
    policiesInForce: `${prefix}:policies`,
    /** Hash: offer id → times it was made; and times it was redeemed: of those that nobody can redeem any more. */
    offersMade: `${prefix}:offers:made`,
    offersRedeemed: `${prefix}:offers:redeemed`,
    /**
     * Hash: day on which they cannot be redeemed any more (since 1970) and offer id → the same, until that day is over. The tag is the
     * whole key of the settled ones, which puts them on its node.
     */
    offersMadeOpen: `{${prefix}:offers:made}.open`,
    offersRedeemedOpen: `{${prefix}:offers:redeemed}.open`,
    /**
     * Sets of whole numbers, and strings, with an expiry: what has been counted. The tag is the counters' whole key, which puts them
     * on its node; `part` says which of a day's decisions.
     */
    offersMadeMarkers: (part: string) => `{${prefix}:offers:made}:${part}`,
    offersRedeemedMarker: (decisionId: string, offerId: string) =>
      `{${prefix}:offers:redeemed}:${decisionId}:${offerId}`,
    /**
     * String (a number) with an expiry: what processes may have spent on exploring that day (YYYY-MM-DD, or also a bound),
     * minor units.
     */
    explorationSpent: (day: string) => `${prefix}:exploration:${day}`,
    /** Of one offer's budget; the tag puts them on one node. Hash: reservation id → state, period and cost. */
    budgetReservations: (offerId: string) => `${prefix}:{offer:${offerId}}:reservations`,
    /** Sorted set: reservation id by when it lapses, or is forgotten. */
    budgetDue: (offerId: string) => `${prefix}:{offer:${offerId}}:due`,
    /** Start of the hashes with what is out and spent, one a period (its name follows). */
    budgetPeriods: (offerId: string) => `${prefix}:{offer:${offerId}}:budget:`,
    /** The same two while they are made anew out of the lake. */
    budgetRestored: (offerId: string) => `${prefix}:{offer:${offerId}}:restored`,
    budgetRestoredDue: (offerId: string) => `${prefix}:{offer:${offerId}}:restored-due`,
    /** String (binary) with an expiry: what the customer has been offered lately. */
    contacts: (subjectId: string) => `${prefix}:{c:${subjectId}}:contacts`,
    /** Stream: causes and changed customers on their way to the webhooks' queue. One hash tag, for they change together. */
    webhookOutbox: `{${prefix}:webhooks}:outbox`,
    /** Hash, which expires unless it is used: customer id → where the risk stands against this bound, for this horizon. */
    webhookRisk: (bound: number, horizonDays: number) => `{${prefix}:webhooks}:risk:${bound}:${horizonDays}`,
    /** Pattern (of SCAN) of all of them. */
    webhookRisks: `{${prefix}:webhooks}:risk:*`,
    /** String with an expiry: the process that brings the outbox into the queue. */
    webhookLock: `{${prefix}:webhooks}:lock`,
    /** String (JSON): what the last check of the churn model's drift found. */
    churnDrift: `${prefix}:drift:churn`,
    /** Start of the strings with an expiry that count an API key's calls: its id and the scope follow. */
    rateLimits: `${prefix}:limits`,
    /** Prefix of BullMQ's keys; the braces keep a queue's keys on one node of a cluster. */
    queuePrefix: `{${prefix}:queue}`,
  };
}
