import { expect, test } from 'vitest';
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
