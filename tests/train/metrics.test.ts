import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { StreamLag } from '../../src/history/event-stream.ts';
import { createMetrics } from '../../src/infra/metrics.ts';
import { serveMetrics } from '../../src/infra/metrics-server.ts';
import {
  createWorkerMetrics,
  observeErasures,
  observeQueueAndStream,
  observeScores,
} from '../../src/train/metrics.ts';
import { silentLog } from '../support/redis.ts';

const host = '127.0.0.1';

test('gauges are asked for at the scrape; a source that fails is left out, the others stand', async () => {
  const { registry } = createMetrics();
  observeQueueAndStream(registry, {
    batchCounts: async () => ({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }),
    counts: async () => ({ waiting: 2, delayed: 3, active: 1, completed: 4, failed: 0 }),
    streamLag: () => Promise.reject(new Error('away')),
  });
  const text = await registry.metrics();
  expect(text).toContain('nextbest_worker_jobs{state="waiting"} 2');
  expect(text).toContain('nextbest_worker_jobs{state="failed"} 0');
  expect(text).not.toMatch(/^nextbest_worker_stream_lag_seconds /m);
  expect(text).toContain('process_resident_memory_bytes');
});

test('a source that does not answer does not hold the scrape up', async () => {
  const { registry } = createMetrics();
  observeQueueAndStream(registry, {
    batchCounts: async () => ({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }),
    counts: () => new Promise(() => {}),
    streamLag: async () => ({ length: 7, oldestAgeMs: 1500 }),
  });
  const text = await registry.metrics();
  expect(text).not.toContain('nextbest_worker_jobs{');
  expect(text).toContain('nextbest_worker_stream_lag_seconds 1.5');
});

test('each scrape has what is so now: the first is not 0, one whose source is away keeps nothing', async () => {
  const { registry } = createMetrics();
  let customers = 3000;
  let lag: StreamLag | undefined = { length: 7, oldestAgeMs: 1500 };
  observeScores(registry, async () => ({ scoredAt: '2026-11-25T00:00:00Z', customers }), Date.now);
  observeQueueAndStream(registry, {
    batchCounts: async () => ({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }),
    counts: async () => ({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }),
    streamLag: async () => lag ?? Promise.reject(new Error('away')),
  });
  const first = await registry.metrics();
  expect(first).toContain('nextbest_worker_scored_customers 3000');
  expect(first).toContain('nextbest_worker_stream_entries 7');
  customers = 4000;
  lag = undefined;
  const second = await registry.metrics();
  expect(second).toContain('nextbest_worker_scored_customers 4000');
  expect(second).not.toMatch(/^nextbest_worker_stream_(entries|lag_seconds) /m);
});

test('erasures are counted until their receipt, and as overdue when their day is over', async () => {
  const { registry } = createMetrics();
  const day = 24 * 3_600_000;
  observeErasures(
    registry,
    async () => [{ requestedAt: 0 }, { requestedAt: 1 }],
    () => day + 1,
  );
  const text = await registry.metrics();
  expect(text).toContain('nextbest_worker_erasures{state="pending"} 2');
  expect(text).toContain('nextbest_worker_erasures{state="overdue"} 1');
});

test('/metrics and /livez are served, nothing else is', async () => {
  const { registry } = createMetrics();
  createWorkerMetrics(registry).jobsStalled.inc();
  let alive = true;
  const server = await serveMetrics(
    registry,
    () => alive,
    { host, port: 0, setting: 'TEST_PORT' },
    silentLog,
  );
  onTestFinished(server.close);
  const metrics = await fetch(server.url);
  expect(metrics.headers.get('content-type')).toBe(registry.contentType);
  expect(await metrics.text()).toContain('nextbest_worker_jobs_stalled_total 1');
  const livez = new URL('/livez', server.url);
  expect((await fetch(livez)).status).toBe(200);
  alive = false;
  expect((await fetch(livez)).status).toBe(503);
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(404);
});

test('where the port is taken, a free one is used', async () => {
  const other = createServer((_, res) => res.end('somebody else'));
  await new Promise<void>((resolve) => other.listen(0, host, resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { registry } = createMetrics();
  const server = await serveMetrics(registry, () => true, { host, port, setting: 'TEST_PORT' }, silentLog);
  onTestFinished(server.close);
  expect(new URL(server.url).port).not.toBe(String(port));
  expect((await fetch(server.url)).status).toBe(200);
});
