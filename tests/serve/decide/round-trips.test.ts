/** Each round trip is a wait, and on a busy machine a long one: from what a customer says to the next decision there are to be few. */
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { noContext } from '../../../src/decide/decide.ts';
import { standingDecision } from '../../../src/decide/standing-decision.ts';
import { EventInput } from '../../../src/domain/event.ts';
import { CustomerId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { isCluster } from '../../../src/infra/redis.ts';
import { reportOutcome } from '../../../src/serve/decide/report-outcome.ts';
import { createStandingAnswers } from '../../../src/serve/decide/standing-answers.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { type AcceptDeps, acceptEvents } from '../../../src/serve/events/accept-events.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { JsonText } from '../../../src/serve/route.ts';
import { decisionRoutes } from '../../../src/serve/routes/decisions.ts';
import { decideDeps } from '../../support/decide-deps.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { makeOffer, noon } from '../../support/offers.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { roundTrips } from '../../support/round-trips.ts';

const { redis, keys } = testRedis();

const budget = { amountMinor: 1_000_000 };
const offers = [
  makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5, maxMinor: 500 }, budget }),
  makeOffer({ offerId: 'ten', benefit: { kind: 'percentOff', percent: 10, maxMinor: 900 }, budget }),
  makeOffer({ offerId: 'banner', benefit: { kind: 'content' }, fallback: true }),
];

const byMail = [
  makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5, maxMinor: 500 }, budget }),
];

// A script that the server does not know yet is sent a second time.
const counted = (trips: string[][]) =>
  trips.filter((commands) => !commands.every((name) => name === 'EVAL')).length;

const bought = (customerId: CustomerId) =>
  EventInput.parse({
    type: 'purchase',
    customerId,
    occurredAt: new Date(noon - dayMs).toISOString(),
    lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 10_000 }],
  });

const asked = (customerId: CustomerId) => ({
  subject: { customerId },
  channel: 'web' as const,
  placement: 'top',
  campaign: 'june',
  limit: 1,
  context: noContext,
});

test('a dismissal, and the decision anew after it', async () => {
  const deciding = decideDeps(redis, keys, { offers, now: () => noon });
  const deps = {
    ...deciding,
    tombstones: nobodyErased(keys),
    config: { streamMaxLength: 1e6, currency: 'EUR' },
    log: silentLog,
    metrics: createServeMetrics(new Registry()),
  } as unknown as Deps;
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  await acceptEvents([bought(customerId)], deps);
  const ask = asked(customerId);
  const first = await standingDecision(ask, deciding);
  const offer = first.placements[0]?.offers[0];
  if (offer === undefined || first.decisionId === null) throw new Error('nothing was decided');
  const report = {
    offerId: offer.offerId,
    outcome: 'dismissed' as const,
    valueMinor: undefined,
    costMinor: undefined,
    occurredAt: undefined,
    eventId: undefined,
  };
  const told = await roundTrips(redis, () => reportOutcome(first.decisionId ?? '', report, deps));
  let second = first;
  const decided = await roundTrips(redis, async () => {
    second = await standingDecision(ask, deciding);
  });
  // On a cluster, no script reaches both the stream and what is the customer's.
  expect(counted(told)).toBeLessThanOrEqual(isCluster(redis) ? 4 : 3);
  expect(counted(decided)).toBeLessThanOrEqual(isCluster(redis) ? 6 : 3);
  expect(second.decisionId).not.toBe(first.decisionId);
});

test('a withdrawn consent, and the decision that makes no offer after it', async () => {
  const deciding = decideDeps(redis, keys, { offers: byMail, now: () => noon });
  const accepting: AcceptDeps = {
    ...deciding,
    tombstones: nobodyErased(keys),
    config: { streamMaxLength: 1e6, currency: 'EUR' },
    log: silentLog,
  };
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  const consents = (email: boolean, at: number) =>
    EventInput.parse({
      type: 'customerUpdated',
      customerId,
      occurredAt: new Date(at).toISOString(),
      attributes: { consent: { email } },
    });
  await acceptEvents([consents(true, noon - 2 * dayMs), bought(customerId)], accepting);
  const ask = { ...asked(customerId), channel: 'email' as const };
  const first = await standingDecision(ask, deciding);
  expect(first.placements[0]?.offers.map(({ offerId }) => offerId)).toEqual(['five']);
  const told = await roundTrips(redis, () => acceptEvents([consents(false, noon)], accepting));
  let second = first;
  const decided = await roundTrips(redis, async () => {
    second = await standingDecision(ask, deciding);
  });
  expect(counted(told)).toBeLessThanOrEqual(isCluster(redis) ? 3 : 2);
  // It reserves nothing, and gives back what was reserved by the way.
  expect(counted(decided)).toBeLessThanOrEqual(isCluster(redis) ? 4 : 2);
  expect(second.placements[0]?.offers).toEqual([]);
  expect(second.replaces).toMatchObject({ decisionId: first.decisionId });
});

test('an offer that is asked for again: one, whether this process has answered it or only another', async () => {
  const startProcess = () => {
    const deciding = decideDeps(redis, keys, { offers, now: () => noon });
    const deps = {
      ...deciding,
      tombstones: nobodyErased(keys),
      config: { streamMaxLength: 1e6, currency: 'EUR' },
      log: silentLog,
      metrics: createServeMetrics(new Registry()),
      standing: createStandingAnswers(deciding.catalogue, () => noon),
    } as unknown as Deps;
    const route = decisionRoutes.find(({ method, hot }) => method === 'GET' && hot);
    if (route === undefined) throw new Error('the route has gone');
    return {
      deps,
      ask: async (customerId: CustomerId) => {
        const query = { channel: 'web', placement: 'top', campaign: 'june', limit: 1, explain: false };
        let text = '';
        const trips = await roundTrips(redis, async () => {
          const input = {
            params: { customerId },
            query,
            search: 'campaign=june',
            body: undefined,
            accept: undefined,
          };
          const { body } = (await route.handler(input as never, deps)) as { body: unknown };
          text = body instanceof JsonText ? body.text.toString() : JSON.stringify(body);
        });
        return { trips: counted(trips), decisionId: JSON.parse(text).decisionId };
      },
    };
  };
  const [one, other] = [startProcess(), startProcess()];
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  await acceptEvents([bought(customerId)], one.deps);
  // Processes read what is left of budgets with their first decision, and now and then.
  for (const process of [one, other]) await process.ask(CustomerId.parse(`c-${randomUUID()}`));
  const first = await one.ask(customerId);
  expect(first.decisionId).toEqual(expect.any(String));
  expect(first.trips).toBeLessThanOrEqual(isCluster(redis) ? 6 : 3);
  for (const process of [one, one, other, other])
    expect(await process.ask(customerId)).toEqual({ trips: 1, decisionId: first.decisionId });
});
