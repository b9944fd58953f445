/** A Redis Cluster whose primary is killed while the service is asked: what it answers until the replica has taken over, and then. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEntries } from '../../src/history/event-stream.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis, type Redis, serversOf } from '../../src/infra/redis.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { describeNative, silentLog } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';

const prefix = 'failover';
const keys = createKeys(prefix);
const customers = Array.from({ length: 12 }, (_, n) => `c${n}`);

describeNative('a primary is killed under load', () => {
  let cluster: TestCluster;
  let service: TestService;
  let redis: Redis;
  beforeAll(async () => {
    cluster = await startCluster();
    service = await startTestService({
      redisUrl: cluster.url,
      prefix,
      env: { REDIS_TIMEOUT_MS: '500' },
    });
    redis = connectRedis(cluster.url, 'tests', { kind: 'patient' }, silentLog);
  });
  afterAll(async () => {
    redis.disconnect();
    await service?.close();
    await cluster?.stop();
  });

  let sent = 0;
  /** Status of a purchase's acceptance; its eventId is kept where it was 202. */
  async function buy(customerId: string, accepted: Set<string>): Promise<number> {
    const eventId = `bought-${sent++}`;
    const lines = [{ itemId: 'tea-0', unitPriceMinor: 900 }];
    const { status } = await service.call('POST', '/events', {
      type: 'purchase',
      customerId,
      eventId,
      lines,
    });
    if (status === 202) accepted.add(eventId);
    return status;
  }

  const recommend = (customerId: string) => service.call('GET', `/recommendations?customerId=${customerId}`);

  test('recommendations go on, events are accepted or refused, and after the failover all is as before', async () => {
    const accepted = new Set<string>();
    for (const customerId of customers) expect(await buy(customerId, accepted)).toBe(202);
    const job = await service.call('POST', '/jobs', { job: 'train-churn' });
    expect(job.status).toBe(202);
    await eventually(async () => expect(await primariesAhead(redis)).toBe(0));
    const before = new Set(accepted);

    let loading = true;
    const statuses = { recommended: new Set<number>(), bought: new Set<number>() };
    const load = Promise.all(
      customers.map(async (customerId) => {
        while (loading) {
          statuses.recommended.add((await recommend(customerId)).status);
          statuses.bought.add(await buy(customerId, accepted));
        }
      }),
    );
    // The stream's node, so that nobody's events can be accepted meanwhile.
    await cluster.killPrimaryOf(keys.eventStream);
    await eventually(() => expect(statuses.bought).toContain(503));
    await eventually(async () => {
      for (const customerId of customers) {
        expect((await recommend(customerId)).body.degraded).toBe(false);
        expect(await buy(customerId, accepted)).toBe(202);
      }
    });
    const untilBack = new Set(accepted);
    for (const customerId of customers) expect(await buy(customerId, accepted)).toBe(202);
    loading = false;
    await load;

    expect([...statuses.recommended]).toEqual([200]);
    expect([...statuses.bought].filter((status) => status !== 202 && status !== 503)).toEqual([]);
    const kept = new Set<string>();
    for (const { entry } of await readEntries(redis, keys, '0-0', 1_000_000))
      if (entry?.kind === 'event') kept.add(entry.event.eventId);
    // Replication lags by moments; what it had taken over is there to the last event.
    const lost = [...accepted].filter((eventId) => !kept.has(eventId));
    expect(lost.filter((eventId) => before.has(eventId))).toEqual([]);
    // A primary sends what it writes to its replica as it answers: at most what each caller was just being answered is lost.
    expect(lost.length).toBeLessThanOrEqual(customers.length);
    expect(lost.filter((eventId) => !untilBack.has(eventId))).toEqual([]);
    expect(accepted.size).toBeGreaterThan(before.size + 2 * customers.length);
    expect((await service.call('GET', `/jobs/${job.body.jobId}`)).body.state).toBe('waiting');
  });
});

/** Primaries with writes that their replica has not got yet. */
async function primariesAhead(redis: Redis): Promise<number> {
  const infos = await Promise.all(serversOf(redis).map((server) => server.info('replication')));
  return infos.filter((info) => {
    const [, written] = /master_repl_offset:(\d+)/.exec(info) ?? [];
    return !info.includes(`,offset=${written},`);
  }).length;
}
