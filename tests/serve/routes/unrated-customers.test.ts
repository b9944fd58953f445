/** Rules of offers, and what was never observed of a customer: asked for over HTTP, explained and logged. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  const { status } = await service.call('PUT', '/offers/sorry', {
    name: 'Sorry',
    benefit: { kind: 'earlyAccess', costMinor: 0 },
    channels: ['web'],
    retention: true,
    priorityLever: 100,
    eligibility: { feature: 'lastRating', lte: 3 },
  });
  expect(status).toBe(200);
});
afterAll(() => service.close());

test('who has never rated is no low rater, whatever models take for it, and the log says that it is not known', async () => {
  const customerId = 'quiet';
  const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 5000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  const asked = { customerId, channel: 'web', explain: true };
  const { body } = await eventually(async () => {
    const answer = await service.call('POST', '/offers/decide', asked);
    expect(answer.body.excluded).toHaveLength(1);
    return answer;
  });
  expect(body.excluded).toMatchObject([{ offerId: 'sorry', reasonCode: 'unknown:lastRating' }]);
  const { body: logged } = await service.call('GET', `/decisions/${body.decisionId}`);
  expect(logged.inputs.features).toMatchObject({ lastRating: null, lastNps: null, ratingCount: 0 });

  await service.call('POST', '/events', { type: 'rating', customerId, rating: 3 });
  const rated = await service.call('POST', '/offers/decide', asked);
  expect(rated.body.excluded.map(({ reasonCode }: { reasonCode: string }) => reasonCode)).not.toContain(
    'unknown:lastRating',
  );
  const { body: known } = await service.call('GET', `/decisions/${rated.body.decisionId}`);
  expect(known.inputs.features).toMatchObject({ lastRating: 3, ratingCount: 1 });
});
