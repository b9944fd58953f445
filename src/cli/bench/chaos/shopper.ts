/**
 * The shop's programs: they post numbered events, take decisions, redeem and answer offers and ask for jobs, send again what
 * was not acknowledged, as callers are told to, and keep what they were promised.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rng } from '../../../algorithms/rng.ts';
import { outcomeEventId } from '../../../serve/decide/report-outcome.ts';
import type { Promises } from './promises.ts';

export type Shop = {
  customerIds: readonly string[];
  itemIds: readonly string[];
  /** Addresses of the services, asked in turn. */
  urls: readonly string[];
};

const eventsAtOnce = 20;
const retryMs = 50;
const answerWithinMs = 10_000;
const jobs = ['train-collaborative', 'train-customer-value', 'refresh-features', 'score-customers'];

type Offered = { offerId: string; decisionId: string; holder: string };

/** One program. Goes on until `signal` is aborted; what it was sending then may have been taken or not. */
export async function shop(
  name: string,
  { customerIds, itemIds, urls }: Shop,
  rng: Rng,
  promises: Promises,
  signal: AbortSignal,
): Promise<void> {
  const ask = createAsking(urls, rng, promises, signal);
  let numbered = 0;
  const customer = () => customerIds[rng.nextInt(customerIds.length)] ?? '';
  const lines = () =>
    Array.from({ length: 1 + rng.nextInt(3) }, () => ({
      itemId: itemIds[rng.nextInt(itemIds.length)],
      quantity: 1 + rng.nextInt(2),
      unitPriceMinor: 500 + rng.nextInt(5000),
    }));
  /** Told right away, or some minutes or days late, as by a till that was offline. */
  const when = () =>
    Date.now() - (rng.chance(0.8) ? 0 : rng.nextInt(rng.chance(0.5) ? 600_000 : 300_000_000));

  function event(type: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
    const one = {
      type,
      eventId: `${name}-${numbered++}`,
      customerId: customer(),
      occurredAt: when(),
      ...rest,
    };
    const { eventId, customerId, occurredAt } = one;
    const ofLines = 'lines' in one && Array.isArray(one.lines) ? one.lines.length : 1;
    promises.sent.set(eventId, { type, customerId, occurredAt, lines: ofLines });
    return one;
  }

  async function postEvents(events: readonly Record<string, unknown>[]): Promise<EventsAnswer | undefined> {
    const answer = await ask<EventsAnswer>('POST', '/events', events);
    for (const { eventId, status } of answer?.results ?? [])
      if (status === 'rejected') promises.unexpected.push(`event ${eventId} was rejected`);
      else promises.acknowledged.add(eventId);
    return answer;
  }

  async function decide(customerId: string): Promise<Offered | undefined> {
    const answer = await ask<DecisionAnswer>('POST', '/offers/decide', { customerId, channel: 'web' });
    if (answer === undefined || answer.decisionId === null) return undefined;
    const { decisionId } = answer;
    promises.decisions.add(decisionId);
    const [offer] = answer.placements.flatMap(({ offers }) => offers);
    return offer && { offerId: offer.offerId, decisionId, holder: offer.heldSince ?? decisionId };
  }

  const ofOffer = (offerId: string) => {
    const those = promises.redemptions.get(offerId) ?? { reported: new Set(), acknowledged: new Set() };
    promises.redemptions.set(offerId, those);
    return those;
  };

  async function redeem(customerId: string, { offerId, decisionId, holder }: Offered): Promise<void> {
    // The outcome that follows from the purchase happened with it.
    const purchase = event('purchase', {
      customerId,
      occurredAt: Date.now(),
      lines: lines(),
      redeemed: [{ offerId, decisionId }],
    });
    const purchaseId = String(purchase.eventId);
    ofOffer(offerId).reported.add(purchaseId);
    const outcomeId = outcomeEventId(decisionId, offerId as never, 'redeemed');
    promises.sent.set(outcomeId, {
      type: 'offerOutcome',
      customerId,
      occurredAt: purchase.occurredAt as number,
      lines: 1,
    });
    const [result] = (await postEvents([purchase]))?.results ?? [];
    const status = result?.redemptions?.[0]?.status;
    if (status === undefined) return;
    if (status === 'unknown')
      promises.unexpected.push(`decision ${decisionId} was unknown to a purchase that redeemed it`);
    // The answer says that this outcome is to be reported by itself.
    if (status === 'failed')
      await report(decisionId, { offerId, outcome: 'redeemed', occurredAt: purchase.occurredAt });
    // Another purchase has redeemed it, by this decision or one that it was held by: no outcome follows from this one.
    else if (status === 'repeated') ofOffer(offerId).acknowledged.add(purchaseId);
    else promises.acknowledged.add(outcomeId);
    if (promises.acknowledged.has(outcomeId)) ofOffer(offerId).acknowledged.add(holder);
  }

  async function report(decisionId: string, outcome: Record<string, unknown>): Promise<void> {
    const answer = await ask<{ eventId: string }>('POST', `/decisions/${decisionId}/outcomes`, outcome);
    if (answer !== undefined) promises.acknowledged.add(answer.eventId);
  }

  async function answerOffer(customerId: string, { offerId, decisionId }: Offered): Promise<void> {
    const outcome = rng.chance(0.5) ? 'viewed' : 'clicked';
    const eventId = outcomeEventId(decisionId, offerId as never, outcome);
    const occurredAt = Date.now();
    promises.sent.set(eventId, { type: 'offerOutcome', customerId, occurredAt, lines: 1 });
    await report(decisionId, { offerId, outcome, occurredAt });
  }

  while (!signal.aborted) {
    const kind = rng.next();
    if (kind < 0.6) {
      const types = ['view', 'addToCart', 'visit', 'rating', 'purchase'];
      const events = Array.from({ length: 1 + rng.nextInt(eventsAtOnce) }, () => {
        const type = types[rng.nextInt(types.length)] ?? 'visit';
        if (type === 'visit') return event(type);
        return event(type, type === 'rating' ? { rating: 1 + rng.nextInt(5) } : { lines: lines() });
      });
      await postEvents(events);
    } else if (kind < 0.95) {
      const customerId = customer();
      const offered = await decide(customerId);
      if (offered !== undefined)
        await (rng.chance(0.6) ? redeem(customerId, offered) : answerOffer(customerId, offered));
    } else {
      const job = jobs[rng.nextInt(jobs.length)];
      const answer = await ask<{ jobId: string }>('POST', '/jobs', { job });
      if (answer !== undefined) promises.jobs.add(answer.jobId);
    }
  }
}

type Asking = <T>(method: string, path: string, body: unknown) => Promise<T | undefined>;

/** Asks until it is answered with success; undefined: the run is over, or the answer was one that no fault excuses. */
function createAsking(urls: readonly string[], rng: Rng, promises: Promises, signal: AbortSignal): Asking {
  return async <T>(method: string, path: string, body: unknown): Promise<T | undefined> => {
    while (!signal.aborted) {
      const url = urls[rng.nextInt(urls.length)] ?? '';
      promises.requests++;
      const answer = await send(method, url + path, body);
      if (answer === undefined) promises.unanswered++;
      else if (answer.status < 300) return answer.body as T;
      else if (answer.status === 429 || answer.status === 503) promises.refused++;
      else {
        const code = (answer.body as { code?: string }).code ?? '';
        promises.unexpected.push(`${method} ${path} was answered ${answer.status} ${code}`);
        return undefined;
      }
      await sleep(retryMs);
    }
    return undefined;
  };
}

type EventsAnswer = {
  results: { eventId: string; status: string; redemptions?: { status: string }[] }[];
};
type DecisionAnswer = {
  decisionId: string | null;
  placements: { offers: { offerId: string; heldSince?: string }[] }[];
};

/** undefined: there was no whole answer. */
export async function send(
  method: string,
  url: string,
  body: unknown,
  withinMs = answerWithinMs,
): Promise<{ status: number; body: unknown } | undefined> {
  try {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(withinMs),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}
