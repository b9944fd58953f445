/** Each round trip is a wait, and on a busy machine a long one: from what a customer says to the next decision there are to be few. */
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { noContext } from '../../../src/decide/decide.ts';
import { standingDecision } from '../../../src/decide/standing-decision.ts';
import { CustomerId, EventId, ItemId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { isCluster } from '../../../src/infra/redis.ts';
import { reportOutcome } from '../../../src/serve/decide/report-outcome.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { createServeMetrics } from '../../../src/serve/metrics.ts';
import { decideDeps } from '../../support/decide-deps.ts';
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

test('a dismissal, and the decision anew after it', async () => {
  const deciding = decideDeps(redis, keys, { offers, now: () => noon });
  const deps = {
    ...deciding,
    config: { streamMaxLength: 1e6, currency: 'EUR' },
    log: silentLog,
    metrics: createServeMetrics(new Registry()),
  } as unknown as Deps;
  const customerId = CustomerId.parse(`c-${randomUUID()}`);
  await deciding.records.apply(customerId, [
    {
      event: {
        type: 'purchase',
        customerId,
        eventId: EventId.parse('b'),
        channel: 'web',
        occurredAt: noon - dayMs,
        lines: [{ itemId: ItemId.parse('tea'), quantity: 1, unitPriceMinor: 10_000 }],
      },
      streamId: '1-1',
    },
  ]);
  const ask = {
    subject: { customerId },
    channel: 'web' as const,
    placement: 'top',
    campaign: 'june',
    limit: 1,
    context: noContext,
  };
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
  // A script that the server does not know yet is sent a second time.
  const counted = (trips: string[][]) =>
    trips.filter((commands) => !commands.every((name) => name === 'EVAL')).length;
  // On a cluster, no script reaches both the stream and what is the customer's.
  expect(counted(told)).toBeLessThanOrEqual(isCluster(redis) ? 4 : 3);
  expect(counted(decided)).toBeLessThanOrEqual(isCluster(redis) ? 6 : 3);
  expect(second.decisionId).not.toBe(first.decisionId);
});
