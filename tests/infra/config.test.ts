import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.ts';
import { readConfig } from '../../src/infra/config.ts';

test('an empty environment gives the defaults of a newcomer', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    port: 3000,
    host: '127.0.0.1',
    dataDir: 'data',
    modelsDir: 'models',
    currency: 'EUR',
  });
  expect(config.redisUrl).toBeUndefined();
});

test('a bad environment names every fault at once', () => {
  const bad = {
    PORT: 'eighty',
    REDIS_URL: 'http://localhost',
    CURRENCY: 'ZZZ',
    LOG_LEVEL: 'loud',
    TRAIN_SCHEDULE: '99 99 * * *',
    SCENARIOS_FILE: '/there/is/no/such/file.json',
  };
  expect(() => readConfig(bad)).toThrow(UsageError);
  for (const name of Object.keys(bad)) expect(() => readConfig(bad)).toThrow(new RegExp(`  ${name}: `));
});

test('a fault tells what was given, but never an address, which may hold a password', () => {
  expect(() => readConfig({ PORT: 'eighty' })).toThrow(
    'PORT: must be a whole number from 0 to 65535, not "eighty"',
  );
  expect(() => readConfig({ REDIS_URL: 'http://admin:secret@host' })).toThrow(/^(?!.*secret)/s);
});

test('an empty variable counts as absent', () => {
  expect(readConfig({ PORT: '', REDIS_URL: '' })).toMatchObject({ port: 3000, redisUrl: undefined });
});

test('the queue uses the same Redis unless it is given its own', () => {
  const url = 'redis://records:6379';
  expect(readConfig({ REDIS_URL: url }).queueRedisUrl).toBe(url);
  expect(readConfig({ REDIS_URL: url, QUEUE_REDIS_URL: 'redis://queue:6379' }).queueRedisUrl).toBe(
    'redis://queue:6379',
  );
});

describe('webhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const url = 'https://crm.example/hooks?key=private';
  const webhooksOf = (env: Record<string, string>) => readConfig({ WEBHOOK_URL: url, ...env }).webhooks;

  test('are off without an address', () => {
    expect(readConfig({ WEBHOOK_SECRETS: secret }).webhooks).toBeUndefined();
  });

  test('take several secrets, the newest first', () => {
    const older = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
    expect(webhooksOf({ WEBHOOK_SECRETS: `${secret} ${older}` })).toMatchObject({
      url,
      secrets: [secret, older],
    });
  });

  test.each([
    ['http://crm.example/hooks', 'must be https'],
    ['http://127.0.0.1.crm.example/', 'must be https'],
    [
      'https://user:password@crm.example/',
      'must be https, or http to this machine itself, without user and password in it',
    ],
    ['ftp://crm.example/', 'must be https'],
    ['crm.example', 'must be an address'],
  ])('refuse the address %s', (WEBHOOK_URL, fault) => {
    expect(() => webhooksOf({ WEBHOOK_URL, WEBHOOK_SECRETS: secret })).toThrow(`WEBHOOK_URL: ${fault}`);
  });

  test.each(['http://localhost:8080/hooks', 'http://127.0.0.1/', 'http://[::1]:1/'])(
    'take %s, which stays on this machine',
    (WEBHOOK_URL) => expect(webhooksOf({ WEBHOOK_URL, WEBHOOK_SECRETS: secret })?.url).toBe(WEBHOOK_URL),
  );

  test.each([
    'shortsecret',
    'whsec_c2hvcnQ=',
    'whsec_not base64!',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ])('refuse the secret %s, and do not repeat it', (bad) => {
    expect(() => webhooksOf({ WEBHOOK_SECRETS: bad })).toThrow('nextbest webhooks secret');
    expect(() => webhooksOf({ WEBHOOK_SECRETS: bad })).not.toThrow(bad);
  });

  test('need a secret, which is told beside every other fault', () => {
    expect(() => webhooksOf({ PORT: 'x', WEBHOOK_RISK_ABOVE: '2' })).toThrow(
      /PORT: .*WEBHOOK_RISK_ABOVE: must be a number from 0.01 to 0.99.*WEBHOOK_SECRETS: is needed/s,
    );
  });
});
