import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { readConfig } from '../../../src/infra/config.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
const origin = 'https://admin.shop.example';
const services: TestService[] = [];

beforeAll(async () => {
  const env = { CORS_ORIGINS: `${origin}, https://other.example:8443` };
  for (const hotLane of [true, false])
    services.push(await startTestService({ redisUrl, prefix, env, bare: true, hotLane }));
});
afterAll(async () => {
  for (const service of services) await service.close();
});

describe.each([['/recommendations'], ['/offers'], ['/nothing-here']])('%s', (path) => {
  test('a page of a site that is named may read answers and refusals', async () => {
    for (const service of services) {
      const { headers } = await service.call('GET', path, undefined, { origin });
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toContain('retry-after');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toContain('Origin');
    }
  });

  test('pages of other sites may not', async () => {
    for (const service of services)
      for (const other of [
        'https://evil.example',
        'https://admin.shop.example.evil.example',
        'null',
        'http://admin.shop.example',
      ]) {
        const { headers } = await service.call('GET', path, undefined, { origin: other });
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
  });
});

test('a browser that asks first is told what it may send, without a key', async () => {
  for (const service of services) {
    const { status, headers } = await service.call('OPTIONS', '/recommendations', undefined, {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'x-api-key',
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-headers')).toContain('x-api-key');
    expect(headers.get('access-control-max-age')).toBe('600');
  }
});

test('without the setting, nothing is said', async () => {
  const service = await startTestService({ redisUrl, prefix, bare: true });
  const { headers } = await service.call('GET', '/recommendations', undefined, { origin });
  expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  await service.close();
});

test.each(['https://shop.example/', 'shop.example', 'https://shop.example/admin', 'https://*.example'])(
  '%s is no origin',
  (text) => {
    expect(() => readConfig({ CORS_ORIGINS: text })).toThrow(UsageError);
  },
);
