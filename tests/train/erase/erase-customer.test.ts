/** An erasure, with real processes and a Redis that keeps its files: an id is planted everywhere, and nowhere to be found afterwards. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ErasureStatus, ReceiptId } from '../../../src/domain/erasure.ts';
import { type Lake, openLake, pathPattern, sqlText } from '../../../src/history/lake.ts';
import { type ScoreRow, scoreBatch, writeSnapshot } from '../../../src/history/score-snapshots.ts';
import { logField } from '../../../src/infra/event-log.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { newModelVersion } from '../../../src/infra/model-store.ts';
import { connectRedis, type Redis } from '../../../src/infra/redis.ts';
import { eventually } from '../../support/eventually.ts';
import { type Running, sandbox } from '../../support/nextbest.ts';
import { type OwnRedis, ownRedis } from '../../support/own-redis.ts';
import { describeNative, keysMatching, silentLog } from '../../support/redis.ts';
import { callService, untilReady } from '../../support/service.ts';

const anna = 'anna-7f3a9c';
const bert = 'bert-11d0e2';
const session = 'visit-of-anna-55e1';

// Here, not in a hook: what a hook registers to be ended is not.
const shop = await sandbox();

describeNative('an erased customer', () => {
  let own: OwnRedis;
  let redis: Redis;
  let env: Record<string, string>;
  let worker: Running;
  let url: string;
  const keys = createKeys('nb');
  const call = (method: string, path: string, body?: unknown) => callService(url, method, path, body);
  const startWorker = async () => {
    worker = shop.start(['worker'], env);
    await worker.line('worker');
  };

  beforeAll(async () => {
    own = await ownRedis();
    await own.start();
    redis = connectRedis(own.url, 'tests', { kind: 'patient' }, silentLog);
    env = {
      REDIS_URL: own.url,
      DRAIN_INTERVAL_MS: '100',
      ERASURE_SETTLE_MS: '300',
      REDIS_TIMEOUT_MS: '5000',
      // Nobody listens there: notices wait for their next attempt.
      WEBHOOK_URL: 'http://127.0.0.1:9/',
      WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    };
    const serve = shop.start(['serve'], env);
    url = String((await serve.line('url')).url);
    await untilReady(url);
    await startWorker();
  });
  afterAll(async () => {
    redis.disconnect();
    await own.remove();
  });

  const at = new Date(Date.now() - 3_600_000).toISOString();
  const purchase = (customerId: string, eventId: string, more: object = {}) => ({
    type: 'purchase',
    eventId,
    customerId,
    occurredAt: at,
    lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 900 }],
    ...more,
  });

  async function plant(): Promise<void> {
    await call('POST', '/items', [{ itemId: 'tea', name: 'Tea', category: 'tea', priceMinor: 900 }]);
    const put = await call('POST', '/offers', [
      {
        offerId: 'five',
        name: 'Five off',
        benefit: { kind: 'amountOff', amountMinor: 10 },
        channels: ['web', 'email'],
        budget: { amountMinor: 100_000 },
        priorityLever: 100,
      },
      {
        offerId: 'news',
        name: 'News',
        benefit: { kind: 'content' },
        channels: ['web', 'email'],
        fallback: true,
      },
    ]);
    expect(put.text).toContain('"offers"');
    const { body } = await call('POST', '/events', [
      purchase(anna, 'o1', { sessionId: session }),
      purchase(bert, 'o2'),
      { type: 'view', sessionId: session, lines: [{ itemId: 'tea' }] },
    ]);
    expect(body.accepted).toBe(3);
    await call('PUT', `/customers/${anna}`, { consent: { email: true }, segment: 'north' });
    await call('PUT', `/customers/${bert}`, { consent: { email: true } });
    await call('GET', `/recommendations?customerId=${anna}`);
    // On a slow machine the first may be answered out of memory, and leave nothing.
    const decide = (customerId: string, placement: string) =>
      eventually(async () => {
        const asked = { customerId, channel: 'web', placements: [placement] };
        const { body: decision } = await call('POST', '/offers/decide', asked);
        expect(decision.degraded).toBe(false);
        expect(decision.placements[0].offers).toMatchObject([{ offerId: 'five' }]);
        return decision;
      });
    await eventually(async () => {
      const { body: dry } = await call('POST', '/offers/decide', {
        customerId: 'x',
        channel: 'web',
        dryRun: true,
      });
      expect(dry.excluded.length + dry.placements[0].offers.length).toBeGreaterThan(0);
    });
    for (const customerId of [anna, bert]) {
      const decision = await decide(customerId, 'hero');
      for (const { offerId } of decision.placements[0].offers)
        await call('POST', `/decisions/${decision.decisionId}/outcomes`, {
          offerId,
          outcome: 'redeemed',
          costMinor: 10,
        });
      await call('GET', `/customers/${customerId}/offers?channel=email&placement=top&campaign=spring`);
    }
    // Afterwards: who is dissatisfied is made no offer.
    await call(
      'POST',
      '/events',
      [anna, bert].map((customerId) => ({ type: 'rating', customerId, rating: 1 })),
    );
    const { body: batch } = await call('POST', '/offers/batch', {
      customerIds: [anna, bert],
      channel: 'web',
      campaign: 'autumn',
      includeNothing: true,
    });
    await eventually(async () => {
      expect((await call('GET', `/offers/batch/${batch.jobId}`)).body.state).toBe('completed');
    });
    await redis.xadd(keys.unreadableEntries, '*', logField, JSON.stringify({ kind: 'x', customerId: anna }));
    await redis.xadd(
      keys.webhookOutbox,
      '*',
      logField,
      JSON.stringify({ kind: 'changed', customerIds: [anna, bert] }),
    );
    const score = (customerId: string) =>
      ({ customerId, riskBand: 'low', valueTier: 'low', rfmSegment: 'new', risk: 0.5 }) as ScoreRow;
    await withLake(async (lake) => {
      const about = {
        id: newModelVersion(Date.now(), Math.random),
        scoredAt: new Date().toISOString(),
        models: { churn: null, customerValue: null },
      };
      await writeSnapshot(lake.connection, shop.dataDir, about, ({ add }) =>
        add(scoreBatch([score(anna), score(bert)])),
      );
    });
    await eventually(async () => {
      expect(await lakeCount('events', anna)).toBeGreaterThan(3);
      expect(await lakeCount('decisions', anna)).toBeGreaterThan(1);
    });
  }

  async function withLake<T>(use: (lake: Lake) => Promise<T>): Promise<T> {
    const lake = await openLake(shop.dataDir, { threads: 1, memoryMb: 256 });
    try {
      return await use(lake);
    } finally {
      lake.close();
    }
  }

  const lakeCount = (table: 'events' | 'decisions', id: string) =>
    withLake(async (lake) => {
      const counted = await lake.connection.runAndReadAll(
        `SELECT count(*)::DOUBLE FROM ${lake.from(table)} WHERE "customerId" = ${sqlText(id)}`,
      );
      return Number(counted.value(0, 0));
    });

  /** Files that hold the text: as bytes, or (what is compressed) as a value of a Parquet file. */
  async function filesWith(text: string): Promise<string[]> {
    const found: string[] = [];
    for (const folder of [shop.dataDir, shop.modelsDir, own.folder])
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = await readFile(path).catch(() => Buffer.alloc(0));
        if (bytes.includes(text)) found.push(path);
        else if (path.endsWith('.parquet') && (await inParquet(path, text))) found.push(path);
      }
    return found;
  }

  const inParquet = (path: string, text: string) =>
    withLake(async ({ connection }) => {
      const counted = await connection.runAndReadAll(
        `SELECT count(*)::DOUBLE FROM (SELECT to_json(t)::VARCHAR AS row FROM read_parquet(${sqlText(pathPattern(path))}) t)
         WHERE contains(row, ${sqlText(text)})`,
      );
      return Number(counted.value(0, 0)) > 0;
    });

  test('is exported whole, then found nowhere, in no byte; a worker that is killed meanwhile changes nothing', async () => {
    await plant();
    const held = (await call('GET', `/customers/${anna}/data`)).body;
    expect(held.record.attributes).toMatchObject({ segment: 'north', consent: { email: true } });
    expect(held.events.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['purchase', 'rating', 'customerUpdated', 'offerOutcome']),
    );
    expect(new Set(held.events.map(({ eventId }: { eventId: string }) => eventId)).size).toBe(
      held.events.length,
    );
    for (const part of ['contacts', 'reservations', 'scores', 'notices', 'decisions'])
      expect(held[part].length, part).toBeGreaterThan(0);
    expect(held.sessions).toMatchObject([{ sessionId: session }]);
    expect(held.events).toContainEqual(expect.objectContaining({ type: 'view', sessionId: session }));
    expect(JSON.stringify(held)).not.toContain(bert);

    const before = (await call('GET', '/offers/five/budget')).body;
    const asked = await call('DELETE', `/customers/${anna}`);
    expect(asked.status).toBe(202);
    const location = String(asked.headers.get('location'));
    expect(location).toBe(`/erasures/${ReceiptId.parse(asked.body.receiptId)}`);
    // At once: nobody tells of it again.
    const replayed = await call('POST', '/events', [purchase(anna, 'o1'), purchase(bert, 'o3')]);
    expect(replayed.body).toMatchObject({ accepted: 1, rejected: 1 });

    await eventually(async () => expect((await call('GET', location)).body.state).not.toBe('waiting'));
    worker.process.kill('SIGKILL');
    await worker.ended;
    await startWorker();
    // What a killed worker holds is given up after a minute.
    const status: ErasureStatus = await vi.waitFor(
      async () => {
        const { body } = await call('GET', location);
        expect(body.state).toBe('completed');
        return body;
      },
      { timeout: 240_000, interval: 200 },
    );

    const { receipt } = status;
    for (const place of [
      'events',
      'decisions',
      'records',
      'decisionKeys',
      'budgets',
      'webhooks',
      'scores',
      'batches',
      'unreadable',
    ])
      expect(receipt?.erased[place], place).toBeGreaterThan(0);
    expect(receipt?.verification.total).toBe(0);
    expect(receipt?.persistence).toEqual(['rewritten', 'rewritten']);
    expect(await filesWith(anna)).toEqual([]);
    expect(await filesWith(session)).toEqual([]);
    expect((await filesWith(bert)).length).toBeGreaterThan(3);

    // What was spent stays spent, nobody's; others keep what is theirs.
    const after = (await call('GET', '/offers/five/budget')).body;
    expect(after.confirmed).toEqual(before.confirmed);
    expect(after.confirmed.amountMinor).toBeGreaterThan(0);
    expect(receipt?.spent).toMatchObject([{ offerId: 'five', state: 'confirmed', costMinor: 10 }]);
    const lost = await keysMatching(redis, `${keys.budgetPeriods('five')}*`);
    await redis.del(keys.budgetReservations('five'), keys.budgetDue('five'), ...lost);
    expect(await shop.run(['offers', 'rebuild-ledgers'], env)).toMatchObject({ exitCode: 0 });
    expect((await call('GET', '/offers/five/budget')).body.confirmed).toEqual(before.confirmed);
    expect(after.reserved.amountMinor).toBeLessThanOrEqual(before.reserved.amountMinor);
    expect((await call('GET', `/customers/${anna}`)).status).toBe(404);
    expect((await call('GET', `/customers/${bert}`)).body.attributes.consent).toEqual({ email: true });
    expect(await lakeCount('events', bert)).toBeGreaterThan(3);
    const empty = (await call('GET', `/customers/${anna}/data`)).body;
    expect([empty.record, empty.events, empty.decisions, empty.notices]).toEqual([null, [], [], []]);

    // An event without a time of its own, told again; and a customer who comes back.
    const again = { type: 'visit', eventId: 'o1', customerId: anna };
    expect((await call('POST', '/events', [again, purchase(bert, 'o4')])).body.rejected).toBe(1);
    const back = { type: 'view', customerId: anna, lines: [{ itemId: 'tea' }] };
    expect((await call('POST', '/events', back)).body.accepted).toBe(1);
    expect((await call('GET', `/customers/${anna}/profile`)).body.eventCount).toBe(1);
  }, 360_000);
});
