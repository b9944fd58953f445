/** An erasure on a Redis Cluster, with real processes: afterwards the id is on no node, replicas included, and in no file of theirs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ErasureStatus } from '../../../src/domain/erasure.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { sandbox } from '../../support/nextbest.ts';
import { describeNative } from '../../support/redis.ts';
import { callService, untilReady } from '../../support/service.ts';

const anna = 'anna-c05de1';
const bert = 'bert-c05de2';
const session = 'visit-of-anna-c05';

// Here, not in a hook: what a hook registers to be ended is not.
const shop = await sandbox();

describeNative('a customer of a cluster', () => {
  let cluster: TestCluster;
  let url: string;
  const call = (method: string, path: string, body?: unknown) => callService(url, method, path, body);

  beforeAll(async () => {
    cluster = await startCluster();
    const env = {
      REDIS_URL: cluster.url,
      DRAIN_INTERVAL_MS: '100',
      ERASURE_SETTLE_MS: '300',
      REDIS_TIMEOUT_MS: '5000',
    };
    url = String((await shop.start(['serve'], env).line('url')).url);
    await untilReady(url);
    await shop.start(['worker'], env).line('worker');
  });
  afterAll(() => cluster?.stop());

  /** How many nodes have it in their files: each append-only file holds what its node was told. */
  async function nodesWith(text: string): Promise<number> {
    const nodes = new Set<string>();
    for (const entry of await readdir(cluster.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      if (bytes.includes(text)) nodes.add(path.slice(cluster.folder.length + 1).split('/')[0] ?? '');
    }
    return nodes.size;
  }

  test('is found nowhere after the erasure, in no node’s keys, values or files', async () => {
    for (const customerId of [anna, bert]) {
      const lines = [{ itemId: 'tea', quantity: 1, unitPriceMinor: 900 }];
      const { body } = await call('POST', '/events', [
        { type: 'purchase', customerId, lines, ...(customerId === anna && { sessionId: session }) },
      ]);
      expect(body.accepted).toBe(1);
      await call('PUT', `/customers/${customerId}`, { consent: { email: true } });
      await call('GET', `/recommendations?customerId=${customerId}`);
    }
    await call('POST', '/events', { type: 'view', sessionId: session, lines: [{ itemId: 'tea' }] });
    // Beside the stream, whose node and replica have it: her record's.
    await vi.waitFor(async () => expect(await nodesWith(anna)).toBeGreaterThanOrEqual(2));

    const asked = await call('DELETE', `/customers/${anna}`);
    expect(asked.status).toBe(202);
    const { receipt } = await vi.waitFor(
      async () => {
        const { body } = await call('GET', String(asked.headers.get('location')));
        expect(body.state).toBe('completed');
        return body as ErasureStatus;
      },
      { timeout: 120_000, interval: 200 },
    );
    expect(receipt?.erased.records).toBeGreaterThan(0);
    expect(receipt?.verification.total).toBe(0);
    expect(receipt?.persistence).toEqual(['rewritten', 'rewritten']);

    const nodes = await cluster.dump();
    expect(nodes).toHaveLength(6);
    // A node that could not be read would hold nothing, too.
    expect(nodes.filter((text) => text.includes(bert)).length).toBeGreaterThanOrEqual(2);
    for (const text of nodes) {
      expect(text).not.toContain(anna);
      expect(text).not.toContain(session);
    }
    await vi.waitFor(
      async () => expect([await nodesWith(anna), await nodesWith(session)]).toEqual([0, 0]),
      10_000,
    );
    expect(await nodesWith(bert)).toBeGreaterThanOrEqual(2);
  }, 240_000);
});
