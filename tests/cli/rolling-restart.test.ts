/** Two real services behind one port, restarted one after the other under load as an operator would: no request is lost. */
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { readEntries } from '../../src/history/event-stream.ts';
import { freePort } from '../../src/infra/free-port.ts';
import { eventually } from '../support/eventually.ts';
import { type Running, sandbox } from '../support/nextbest.ts';
import { testRedis } from '../support/redis.ts';
import { untilReady } from '../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
const place = await sandbox();

/** Passes bytes on to one of the ports that are in rotation, connection by connection, in turn. */
async function balancer(ports: readonly number[]) {
  const out = new Set<number>();
  let turn = 0;
  const server = createServer((client) => {
    const inRotation = ports.filter((port) => !out.has(port));
    const upstream = connect(inRotation[turn++ % inRotation.length] ?? 0, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, out };
}

type Sent = { status: number; body: string };

function send(agent: Agent, port: number, method: string, path: string, body?: unknown): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const req = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        method,
        path,
        headers: payload ? { 'content-type': 'application/json' } : {},
      },
      (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (data) => {
          text += data;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, body: text }));
        res.on('error', reject);
      },
    );
    req.on('error', reject);
    req.end(payload);
  });
}

test('a rolling restart loses no request, over connections that are kept', async () => {
  const ports = [await freePort(), await freePort()];
  const start = async (port: number): Promise<Running> => {
    const running = place.start(['serve'], {
      PORT: String(port),
      REDIS_URL: redisUrl,
      KEY_PREFIX: prefix,
    });
    await untilReady(String((await running.line('url')).url));
    return running;
  };
  const services = new Map<number, Running>();
  for (const port of ports) services.set(port, await start(port));
  const { port: front, out } = await balancer(ports);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());

  let calling = true;
  let answered = 0;
  let posted = 0;
  const lost: string[] = [];
  const caller = async (name: string) => {
    for (let n = 0; calling; n++) {
      const [method, path, body] =
        n % 2 === 0
          ? ['POST', '/events', { type: 'visit', eventId: `${name}-${n}`, customerId: name }]
          : ['GET', n % 4 === 1 ? '/recommendations' : `/customers/${name}/offers`];
      const sent = await send(agent, front, String(method), String(path), body).catch((err: Error) => err);
      if (sent instanceof Error) lost.push(`${method} ${path}: ${sent.message}`);
      else if (sent.status >= 300) lost.push(`${method} ${path}: ${sent.status} ${sent.body}`);
      else {
        answered++;
        if (method === 'POST') posted++;
      }
    }
  };
  const callers = Promise.all(['a', 'b', 'c', 'd'].map(caller));
  const underWay = async () => {
    const enough = answered + 40;
    await eventually(() => expect(answered).toBeGreaterThan(enough));
  };
  for (const port of ports) {
    await underWay();
    // No new connections; those that are kept are the service's to end in order.
    out.add(port);
    expect(await services.get(port)?.stop()).toBe(0);
    await underWay();
    services.set(port, await start(port));
    out.delete(port);
  }
  await underWay();
  calling = false;
  await callers;
  expect(lost).toEqual([]);
  // Decisions that the other calls took are in it too.
  const entries = (await readEntries(redis, keys, '0-0', 1_000_000)).map(({ entry }) => entry?.kind);
  expect(entries.filter((kind) => kind === 'event')).toHaveLength(posted);
});
