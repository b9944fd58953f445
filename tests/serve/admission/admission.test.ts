/** Keys on both lanes: who is let in, who is not, and what is said to them. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES, type Scope } from '../../../src/domain/api-key.ts';
import { UsageError } from '../../../src/domain/errors.ts';
import { createApiKey, revokeApiKey, rotateApiKey } from '../../../src/infra/api-keys.ts';
import { measureExchange } from '../../../src/serve/http/exchange.ts';
import { listen } from '../../../src/serve/http/listen.ts';
import { ROUTES } from '../../../src/serve/routes.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { type Answer, startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
const services: TestService[] = [];
let dataDir: string;
/** A key for each scope alone. */
const keys = {} as Record<Scope, { text: string; keyId: string }>;

async function makeKey(scopes: readonly Scope[], expiresAt: number | null = null) {
  const { key, text } = await createApiKey(dataDir, { name: 'test', scopes, expiresAt }, Date.now());
  return { text, keyId: key.keyId };
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-admission-'));
  for (const scope of SCOPES) keys[scope] = await makeKey([scope]);
  const env = { AUTH: 'keys', DATA_DIR: dataDir };
  for (const hotLane of [true, false])
    services.push(await startTestService({ redisUrl, prefix, env, bare: true, hotLane }));
});
afterAll(async () => {
  for (const service of services) await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
/** The answers of both lanes. */
const ask = (method: string, path: string, headers: Record<string, string> = {}): Promise<Answer[]> =>
  Promise.all(services.map((service) => service.call(method, path, undefined, headers)));
const statuses = async (path: string, headers: Record<string, string>) =>
  (await ask('GET', path, headers)).map(({ status }) => status);

/** A path that fits the route, whatever it is answered. */
const pathOf = (path: string) => path.replace(/\{\w+\}/g, 'some-id');

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    if (route.scope === 'public') {
      test('asks for no key', async () => {
        for (const { status } of await ask(route.method, pathOf(route.path))) expect(status).toBe(200);
      });
      return;
    }
    const { scope } = route;
    test(`lets in nobody without a key that has the scope ${scope}`, async () => {
      for (const { status, body, headers } of await ask(route.method, pathOf(route.path))) {
        expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
        expect(headers.get('www-authenticate')).toBe(`Bearer realm="nextbest", scope="${scope}"`);
      }
      for (const other of SCOPES.filter((name) => name !== scope)) {
        const answers = await ask(route.method, pathOf(route.path), bearer(keys[other].text));
        for (const { status, body, headers } of answers) {
          expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
          expect(body.detail).toContain(`"${scope}"`);
          expect(headers.get('www-authenticate')).toContain('insufficient_scope');
        }
      }
      for (const { status } of await ask(route.method, pathOf(route.path), bearer(keys[scope].text)))
        expect([401, 403]).not.toContain(status);
    });
  },
);

test('a key comes as Authorization: Bearer or as x-api-key, and in no other way', async () => {
  const { text } = keys.read;
  for (const path of ['/recommendations', '/offers']) {
    expect(await statuses(path, { authorization: `bearer ${text}` })).toEqual([200, 200]);
    expect(await statuses(path, { 'x-api-key': text })).toEqual([200, 200]);
    // A gateway's own credentials are none of ours.
    expect(await statuses(path, { authorization: 'Basic eDp5', 'x-api-key': text })).toEqual([200, 200]);
    expect(await statuses(path, { authorization: text })).toEqual([401, 401]);
    expect(await statuses(path, { cookie: `key=${text}` })).toEqual([401, 401]);
    expect(await statuses(`${path}?key=${text}`, {})).toEqual([401, 401]);
  }
});

test.each([
  ['nothing', ''],
  ['an id alone', (text: string) => text.slice(0, 15)],
  ['a secret that differs in its last character', (text: string) => flip(text, text.length - 1)],
  ['a secret that differs in its first', (text: string) => flip(text, 16)],
  ['more behind it', (text: string) => `${text}x`],
  ['another id', (text: string) => `nb_000000000000${text.slice(15)}`],
  ['capitals', (text: string) => text.toUpperCase()],
  ['a name of every object', 'constructor'],
  ['something long', 'x'.repeat(10_000)],
])('%s is no key, and is not repeated in the answer', async (_name, given) => {
  const text = typeof given === 'string' ? given : given(keys.read.text);
  for (const { status, text: answer } of await ask('GET', '/recommendations', { 'x-api-key': text })) {
    expect(status).toBe(401);
    if (text !== '') expect(answer).not.toContain(text);
  }
});

function flip(text: string, at: number): string {
  // Of the last character of 43, two bits are of no account to base64, but of the text that is hashed.
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

test('a new key counts on every process while they run, and a revoked one no more', async () => {
  const { text, keyId } = await makeKey(['read']);
  await eventually(async () => expect(await statuses('/recommendations', bearer(text))).toEqual([200, 200]));
  await revokeApiKey(dataDir, keyId, Date.now());
  await eventually(async () => expect(await statuses('/recommendations', bearer(text))).toEqual([401, 401]));
  expect(await statuses('/recommendations', bearer(keys.read.text))).toEqual([200, 200]);
});

test('a rotated key is good beside its successor until the overlap is over', async () => {
  const { text, keyId } = await makeKey(['read']);
  const kept = await rotateApiKey(dataDir, keyId, 3_600_000, Date.now());
  await eventually(async () => expect(await statuses('/offers', bearer(kept.text))).toEqual([200, 200]));
  expect(await statuses('/offers', bearer(text))).toEqual([200, 200]);
  const last = await rotateApiKey(dataDir, keyId, 0, Date.now());
  await eventually(async () => expect(await statuses('/offers', bearer(text))).toEqual([401, 401]));
  await eventually(async () => expect(await statuses('/offers', bearer(last.text))).toEqual([200, 200]));
});

test('a body is not read before its sender is known', async () => {
  for (const service of services) {
    const { hostname, port } = new URL(service.url);
    // Announced, and never sent: who waits for it does not answer.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        { hostname, port, method: 'POST', path: '/events', headers: { 'content-length': '1000' } },
        (res) => {
          resolve(res.statusCode);
          sent.destroy();
        },
      );
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(status).toBe(401);
  }
});

test('who has no key, asks many times over one connection and is gone leaves nothing in flight', async () => {
  for (const service of services) {
    const { hostname, port } = new URL(service.url);
    const metrics = async () =>
      (await service.call('GET', '/metrics', undefined, bearer(keys.read.text))).text;
    await eventually(async () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      const sent = 'GET /recommendations HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(300);
      socket.write(sent, () => socket.destroy());
      await once(socket, 'close');
      // Gone before all of them had their answer.
      expect(await metrics()).toMatch(/route="\/recommendations",method="GET",status="499"/);
    });
    // The one that asks is in flight itself.
    await eventually(async () => expect(await metrics()).toMatch(/^nextbest_serve_requests_in_flight 1$/m));
  }
});

test('answers that are complete and wait behind one that their reader does not take are not in flight', async () => {
  const metrics = {
    requestsInFlight: { value: 0 },
    requestDuration: { with: () => ({ observe: () => {} }) },
  };
  const silent = { isLevelEnabled: () => false };
  let asked = 0;
  const listening = await listen(
    (req, res) => {
      measureExchange(req, res, { requestId: 'x' }, metrics as never, silent as never);
      // The first never comes.
      if (asked++ > 0) res.end('refused');
    },
    { host: '127.0.0.1', port: 0, maxConnections: 10 },
  );
  const socket = connect(Number(new URL(listening.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(100));
  await eventually(() => expect(asked).toBe(100));
  expect(metrics.requestsInFlight.value).toBe(1);
  socket.resetAndDestroy();
  await eventually(() => expect(metrics.requestsInFlight.value).toBe(0));
  await listening.close();
});

describe('a service that nobody or everybody could call does not start', () => {
  const start = (env: Record<string, string>) => startTestService({ redisUrl, prefix, env, bare: true });

  test('without any key that is good', async () => {
    await expect(start({ AUTH: 'keys' })).rejects.toThrow(/nextbest keys create --name/);
    const folder = await mkdtemp(join(tmpdir(), 'nextbest-admission-'));
    const past = Date.now() - 1;
    await createApiKey(folder, { name: 'old', scopes: ['read'], expiresAt: past }, past - 1);
    await expect(start({ AUTH: 'keys', DATA_DIR: folder })).rejects.toThrow(UsageError);
    await rm(folder, { recursive: true });
  });

  test('without keys, where the network reaches it', async () => {
    await expect(start({ AUTH: 'off', HOST: '0.0.0.0' })).rejects.toThrow(/HOST is 0.0.0.0/);
  });

  test('without keys, in production', async () => {
    await expect(start({ AUTH: 'off', NODE_ENV: 'production' })).rejects.toThrow(/AUTH=off is for trials/);
  });
});

describe('without keys', () => {
  let open: TestService;
  beforeAll(async () => {
    open = await startTestService({ redisUrl, prefix, bare: true });
  });
  afterAll(() => open.close());

  /** `fetch` sets the Host header by itself. */
  const statusFor = (headers: Record<string, string>, path = '/recommendations') =>
    new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(open.url);
      request({ hostname, port, path, headers, agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode);
      })
        .on('error', reject)
        .end();
    });

  test('this machine is let in', async () => {
    expect((await open.call('GET', '/recommendations')).status).toBe(200);
    for (const host of ['localhost:3000', '127.0.0.1', '[::1]:3000'])
      expect(await statusFor({ host })).toBe(200);
  });

  test('what a proxy passes on is not, though it comes from this machine', async () => {
    for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'])
      for (const path of ['/recommendations', '/offers'])
        expect(await statusFor({ host: 'localhost', [name]: '203.0.113.9' }, path)).toBe(403);
  });

  test('a page of another site is not, even under a name that leads here', async () => {
    for (const path of ['/recommendations', '/offers']) {
      expect(await statusFor({ host: 'rebound.example' }, path)).toBe(403);
      expect(await statusFor({ 'sec-fetch-site': 'cross-site' }, path)).toBe(403);
    }
  });
});
