/** A whole service for a test: real HTTP on a free port, real Redis, a published model of the invented shop. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DecisionPolicyInput } from '../../src/domain/decision-policy.ts';
import { readConfig } from '../../src/infra/config.ts';
import { Problem } from '../../src/serve/problem.ts';
import type { Route } from '../../src/serve/route.ts';
import { ROUTES } from '../../src/serve/routes.ts';
import { type Service, startService } from '../../src/serve/server.ts';
import { eventually } from './eventually.ts';
import { silentLog } from './redis.ts';
import { newItem, publishShopChurnModel, publishShopModel, shopItems } from './shop-models.ts';

export type Answer = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
  body: any;
  text: string;
};

export type TestService = {
  url: string;
  dataDir: string;
  modelsDir: string;
  /** Checks the answer against the schema that the route declares for its status, and every refusal against Problem. */
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  close: () => Promise<void>;
};

export type TestServiceOptions = {
  redisUrl: string;
  prefix: string;
  env?: Record<string, string>;
  /** Decision policy; without exploration unless it says otherwise. */
  policy?: DecisionPolicyInput;
  /** Without the invented shop: no model, no catalogue. */
  bare?: boolean;
  modelPollMs?: number;
  hotLane?: boolean;
  /** Redis is not there: the service is not waited for until it has reached it. */
  redisAway?: boolean;
};

export async function startTestService(options: TestServiceOptions): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-serve-'));
  const dataDir = join(folder, 'data');
  const modelsDir = join(folder, 'models');
  if (!options.bare) {
    await publishShopModel(modelsDir);
    await publishShopChurnModel(modelsDir);
  }
  // What exploring draws differs from request to request.
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, JSON.stringify({ exploration: { method: 'none' }, ...options.policy }));
  const config = readConfig({
    REDIS_URL: options.redisUrl,
    KEY_PREFIX: options.prefix,
    MODELS_DIR: modelsDir,
    DATA_DIR: dataDir,
    PORT: '0',
    // Who may call is a matter of its own tests.
    AUTH: 'off',
    LOG_LEVEL: 'silent',
    // Slow machines: a test of a bound sets its own.
    REDIS_TIMEOUT_MS: '20000',
    MAX_WAIT_MS: '600000',
    MAX_LAG_MS: '60000',
    DECISION_POLICY_FILE: policyFile,
    ...options.env,
  });
  const service: Service = await startService({
    config,
    redisPlace: { url: options.redisUrl, queueUrl: options.redisUrl },
    log: silentLog,
    modelPollMs: options.modelPollMs ?? 50,
    // Connections that `fetch` keeps would hold up the end of every test.
    drainGraceMs: 0,
    ...(options.hotLane !== undefined && { hotLane: options.hotLane }),
  });
  if (!options.redisAway) await untilReady(service.url);
  const call: TestService['call'] = (method, path, body, headers) =>
    callService(service.url, method, path, body, headers);
  if (!options.bare) {
    const stocked = await call('POST', '/items', [...shopItems, newItem]);
    expect(stocked.status).toBe(200);
    await eventually(async () =>
      expect((await call('GET', '/readyz')).body.catalogueItems).toBe(shopItems.length + 1),
    );
  }
  return {
    url: service.url,
    dataDir,
    modelsDir,
    call,
    close: async () => {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A service starts without Redis where it has not reached it within two seconds, which on a slow machine is nothing unusual. */
export async function untilReady(url: string): Promise<void> {
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
}

export async function callService(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url + path, {
    method,
    headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(payload !== undefined && { body: payload }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    body: /json/.test(type) && text !== '' ? JSON.parse(text) : undefined,
    text,
  };
  checkAgainstContract(method, path, answer);
  return answer;
}

function checkAgainstContract(method: string, path: string, answer: Answer): void {
  if (answer.status >= 400) {
    if (method === 'HEAD') return;
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Problem.strict().parse(answer.body).status).toBe(answer.status);
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    return;
  }
  const route = routeOf(method, path.split('?')[0] ?? '');
  const schema = route?.responses[answer.status];
  if (route !== undefined) expect(Object.keys(route.responses).map(Number)).toContain(answer.status);
  if (schema) expect(schema.safeParse(answer.body ?? answer.text).error?.issues ?? []).toEqual([]);
}

function routeOf(method: string, path: string): Route | undefined {
  const fits = (route: Route) => new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const fixedFirst = [...ROUTES].sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));
  return fixedFirst.find((route) => route.method === method && fits(route));
}
