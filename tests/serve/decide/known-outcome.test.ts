import { expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { OfferId } from '../../../src/domain/ids.ts';
import { markerField, markerValue } from '../../../src/features/event-markers.ts';
import { appendEntries } from '../../../src/infra/event-log.ts';
import { isKnownOutcome } from '../../../src/serve/decide/known-outcome.ts';
import { noon } from '../../support/offers.ts';
import { testRedis } from '../../support/redis.ts';

const { redis, keys } = testRedis();
const offerId = OfferId.parse('five');
const redeemed = { decisionId: newDecisionId(noon), offerId, outcome: 'redeemed' as const };

/** What the lake has of the decision. */
const lakeWith = (...outcomes: { eventId: string; outcome: 'redeemed' | 'viewed' }[]) => ({
  redis,
  keys,
  past: {
    find: async () => ({
      decision: {} as never,
      outcomes: outcomes.map((one) => ({ ...one, offerId, at: noon })),
    }),
    findMany: async () => new Map(),
  },
});

/** Accepted by a process that has ended before it settled anything. */
async function accepted(customerId: string, eventId: string, more: object): Promise<string> {
  const event = { channel: 'web', occurredAt: noon, customerId, eventId, ...more } as ShopEvent;
  const [streamId = ''] = await appendEntries(redis, keys, [{ kind: 'event', event }]);
  await redis.hset(keys.eventMarkers(customerId), markerField(eventId), markerValue(streamId));
  return streamId;
}

test('an outcome that was accepted and not settled is known as itself, in the stream and in the lake after it', async () => {
  const told = { ...redeemed, eventId: 'till-1' };
  const streamId = await accepted('anna', 'till-1', { type: 'offerOutcome', ...redeemed });
  expect(await isKnownOutcome(told, 'anna', lakeWith())).toBe(true);
  expect(await isKnownOutcome({ ...told, outcome: 'viewed' }, 'anna', lakeWith())).toBe(false);
  const other = { ...told, decisionId: newDecisionId(noon + 1) };
  expect(await isKnownOutcome(other, 'anna', lakeWith())).toBe(false);

  await redis.xdel(keys.eventStream, streamId);
  const drained = lakeWith({ eventId: 'till-1', outcome: 'redeemed' });
  expect(await isKnownOutcome(told, 'anna', drained)).toBe(true);
  expect(await isKnownOutcome({ ...told, outcome: 'viewed' }, 'anna', drained)).toBe(false);
});

test('another event of the id is no outcome, also when the lake alone has it', async () => {
  const told = { ...redeemed, eventId: 'order-78' };
  const streamId = await accepted('ben', 'order-78', { type: 'visit' });
  expect(await isKnownOutcome(told, 'ben', lakeWith())).toBe(false);
  await redis.xdel(keys.eventStream, streamId);
  expect(await isKnownOutcome(told, 'ben', lakeWith({ eventId: 'view-78', outcome: 'redeemed' }))).toBe(
    false,
  );
});
