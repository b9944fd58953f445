/** A process that is killed between what it reserves for a customer and its answer: the next request for the same key sets it right. */
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createContactLedger } from '../../src/decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../../src/decide/ledger/offer-budget.ts';
import { standingText } from '../../src/decide/standing-text.ts';
import { cuttableRedis } from '../support/cuttable-redis.ts';
import { sandbox } from '../support/nextbest.ts';
import { makeOffer } from '../support/offers.ts';
import { testOneServer } from '../support/redis.ts';
import { callService, untilReady } from '../support/service.ts';

const { redis, keys, prefix, url: redisUrl } = testOneServer();
const { start } = await sandbox();

async function serve(way: string): Promise<{ url: string; kill: () => void; stop: () => Promise<unknown> }> {
  const running = start(['serve'], {
    REDIS_URL: way,
    KEY_PREFIX: prefix,
  });
  const { url } = (await running.line('url')) as { url: string };
  await untilReady(url);
  return { url, kill: () => running.process.kill('SIGKILL'), stop: running.stop };
}

describe('a process that ends in the middle of a decision', () => {
  test('what a killed process reserved for a customer is given back to the next request for the same key', async () => {
    const input = {
      offerId: `scarce-${randomUUID()}`,
      benefit: { kind: 'amountOff', amountMinor: 100 },
      priorityLever: 50,
      budget: { count: 2 },
      caps: [{ of: 'made', times: 1, days: 30 }],
    };
    const offer = makeOffer(input);
    const ledger = createBudgetLedger(redis, keys);
    const contacts = createContactLedger(redis, keys);
    const customerId = `c-${randomUUID()}`;
    const path = `/customers/${customerId}/offers?channel=email&campaign=june`;

    const healthy = await serve(redisUrl);
    await callService(healthy.url, 'PUT', `/offers/${offer.offerId}`, {
      name: 'Scarce',
      channels: ['email'],
      ...input,
      offerId: undefined,
    });
    await callService(healthy.url, 'PUT', `/customers/${customerId}`, { consent: { email: true } });
    await callService(healthy.url, 'POST', '/events', {
      type: 'purchase',
      customerId,
      lines: [{ itemId: 'tea', unitPriceMinor: 10_000 }],
    });

    const slow = await cuttableRedis(redisUrl);
    onTestFinished(slow.close);
    const dying = await serve(slow.url);
    // The decision is made, and its budget reserved: it is about to stand, with its contact.
    const standing = slow.hold(standingText('', true, Buffer.alloc(0)).toString().trim());
    const unanswered = callService(dying.url, 'GET', path).catch(() => 'no answer');
    await standing;
    dying.kill();
    expect(await unanswered).toBe('no answer');
    expect((await contacts.read(customerId)).history).toEqual([]);
    expect(await ledger.state(offer, Date.now())).toMatchObject({ reservedCount: 1 });

    // Seconds later the lock has lapsed.
    for await (const found of redis.scanStream({ match: `*${prefix}*:deciding` }))
      if (found.length > 0) await redis.del(...found);
    const { body } = await callService(healthy.url, 'GET', path);
    expect(body.placements[0].offers).toMatchObject([{ offerId: offer.offerId }]);
    expect(body.placements[0].offers[0]).not.toHaveProperty('heldSince');
    const { history } = await contacts.read(customerId);
    expect(history.map(({ decisionId }) => decisionId)).toEqual([body.decisionId]);
    expect(await ledger.state(offer, Date.now())).toMatchObject({ reservedCount: 1 });
    // And it can be told of.
    const told = { offerId: offer.offerId, outcome: 'redeemed' };
    expect(
      (await callService(healthy.url, 'POST', `/decisions/${body.decisionId}/outcomes`, told)).status,
    ).toBe(202);
    expect(await ledger.state(offer, Date.now())).toMatchObject({ reservedCount: 0, confirmedCount: 1 });
  });
});
