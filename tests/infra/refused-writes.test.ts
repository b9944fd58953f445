import { expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { isStoreFault, refusedWriteOf, storeFault } from '../../src/infra/refused-writes.ts';

const oom = new Error("OOM command not allowed when used memory > 'maxmemory'.");

test('a refusal is found where it is said: by itself, of a transaction, and as a cause', () => {
  expect(refusedWriteOf(oom)).toBe('OOM');
  const aborted = Object.assign(new Error('EXECABORT Transaction discarded'), {
    previousErrors: [new Error('NOREPLICAS Not enough good replicas to write.')],
  });
  expect(refusedWriteOf(aborted)).toBe('NOREPLICAS');
  expect(refusedWriteOf(new Error('could not be written', { cause: oom }))).toBe('OOM');
});

test('errors that name each other, as ioredis has of a transaction that times out, are looked at once', () => {
  const own = Object.assign(new Error('Command timed out'), { previousErrors: [] as Error[] });
  own.previousErrors.push(own);
  expect(refusedWriteOf(own)).toBeUndefined();
  own.previousErrors.push(oom);
  expect(refusedWriteOf(own)).toBe('OOM');
});

test('what is away, loading, or another fault is no refusal', () => {
  for (const message of ['Connection is closed.', 'LOADING Redis is loading', 'WRONGTYPE', 'OOMPH', ''])
    expect(refusedWriteOf(new Error(message))).toBeUndefined();
  expect(refusedWriteOf(undefined)).toBeUndefined();
});

test('who asked hears of a refusal with its cure, and else that Redis is away', () => {
  const away = { public: 'It is away.', retryAfterSeconds: 1 };
  const refused = storeFault(oom, away);
  expect(refused).toMatchObject({ code: 'STORE_REFUSES_WRITES', status: 503, message: oom.message });
  expect(refused.public).toMatch(/OOM.*memory is full.*maxmemory/);
  const unreached = storeFault(new Error('Connection is closed.'), away);
  expect(unreached).toMatchObject({ code: 'STORE_UNAVAILABLE', public: 'It is away.', retryAfterSeconds: 1 });
  expect([refused, unreached].every(isStoreFault)).toBe(true);
  expect(isStoreFault(new AppError('DISK_FULL', { public: 'full' }))).toBe(false);
});
