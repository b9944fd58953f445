/** Was a promise broken? What callers were promised beside what was found once everything had come to rest. */
import type { Promises, SentEvent } from './promises.ts';

export type FoundEvent = SentEvent & {
  eventId: string;
  /** Times that the lake has it. */
  copies: number;
};

export type Found = {
  /** Of the lake: those that a caller may have sent. */
  events: FoundEvent[];
  decisions: ReadonlySet<string>;
  /** Customers whose record is not, to the bit, what a replay of the lake makes; and how many records there are. */
  wrongRecords: string[];
  records: number;
  /** State of each job that was accepted; null: it is gone. `error` tells why it failed. */
  jobs: ReadonlyMap<string, { state: string; error?: string | undefined } | null>;
  /** Published versions, and what is wrong with those that are not whole. */
  models: number;
  brokenModels: string[];
  budgets: {
    offerId: string;
    limit: number;
    confirmed: number;
    reserved: number;
    unbudgeted: number;
  }[];
};

/** The first promise that was broken, in a sentence; null: none was. */
export function firstLoss(promises: Promises, found: Found): string | null {
  for (const check of [
    unexpectedAnswer,
    eventLoss,
    decisionLoss,
    recordLoss,
    budgetLoss,
    modelLoss,
    jobLoss,
  ]) {
    const loss = check(promises, found);
    if (loss !== null) return loss;
  }
  return null;
}

function unexpectedAnswer({ unexpected }: Promises): string | null {
  return unexpected[0] ?? null;
}

function eventLoss({ sent, acknowledged }: Promises, { events }: Found): string | null {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  for (const eventId of acknowledged)
    if (!byId.has(eventId)) return `event ${eventId} was acknowledged and is not in the lake`;
  for (const event of events) {
    const { eventId, copies } = event;
    const was = sent.get(eventId);
    if (was === undefined) return `event ${eventId} is in the lake and was never sent`;
    if (copies !== 1) return `event ${eventId} is in the lake ${copies} times`;
    for (const field of ['type', 'customerId', 'occurredAt', 'lines'] as const)
      if (event[field] !== was[field])
        return `event ${eventId} is in the lake with ${field} ${event[field]}, and was sent with ${was[field]}`;
  }
  return null;
}

function decisionLoss(promises: Promises, { decisions }: Found): string | null {
  for (const decisionId of promises.decisions)
    if (!decisions.has(decisionId)) return `decision ${decisionId} was answered and is not in the lake`;
  return null;
}

function recordLoss(_promises: Promises, { wrongRecords: [first] }: Found): string | null {
  return first === undefined
    ? null
    : `the record of customer ${first} is not what a replay of the lake makes`;
}

/**
 * Each redemption that was acknowledged counts once, one that was not at most once, and what is redeemed and reserved is within
 * the budget.
 */
function budgetLoss({ redemptions }: Promises, { budgets }: Found): string | null {
  for (const { offerId, limit, confirmed, reserved, unbudgeted } of budgets) {
    const { reported = new Set(), acknowledged = new Set() } = redemptions.get(offerId) ?? {};
    const counted = confirmed + unbudgeted;
    if (confirmed + reserved > limit)
      return `offer ${offerId} has ${confirmed} redeemed and ${reserved} reserved of ${limit}`;
    if (counted < acknowledged.size || counted > reported.size)
      return `offer ${offerId} counts ${counted} redemptions; ${acknowledged.size} were acknowledged of ${reported.size}`;
  }
  return null;
}

function modelLoss(_promises: Promises, { brokenModels }: Found): string | null {
  return brokenModels[0] ?? null;
}

function jobLoss(_promises: Promises, { jobs }: Found): string | null {
  for (const [jobId, job] of jobs) {
    if (job === null) return `job ${jobId} was accepted and is gone`;
    if (job.state === 'failed') return `job ${jobId} failed: ${job.error}`;
  }
  return null;
}
