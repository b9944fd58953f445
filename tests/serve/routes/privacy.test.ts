import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, bare: true });
});
afterAll(() => service.close());

/** Asks, and goes away before anything can be answered. */
async function askAndGo(path: string): Promise<void> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve) =>
    socket.write(`GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`, () => {
      socket.destroy();
      resolve();
    }),
  );
}

test('who goes away before the answer begins takes nobody the place to ask for data', async () => {
  for (let n = 0; n < 3; n++) await askAndGo('/customers/anna/data');
  await eventually(async () => expect((await service.call('GET', '/customers/anna/data')).status).toBe(200));
  // Both places, at once.
  await eventually(async () => {
    const both = await Promise.all([1, 2].map(() => service.call('GET', '/customers/anna/data')));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });
});
