import { expect, test } from 'vitest';
import { Shutdown } from '../../src/infra/shutdown.ts';
import { silentLog } from '../support/redis.ts';

test('what was opened last is closed first', async () => {
  const closed: string[] = [];
  const shutdown = new Shutdown(silentLog);
  shutdown.add('redis', () => closed.push('redis'));
  shutdown.add('server', () => closed.push('server'));
  await shutdown.close();
  expect(closed).toEqual(['server', 'redis']);
});

test('one that cannot be closed does not keep the others open', async () => {
  let closed = false;
  const shutdown = new Shutdown(silentLog);
  shutdown.add('redis', () => {
    closed = true;
  });
  shutdown.add('server', () => Promise.reject(new Error('busy')));
  await shutdown.close();
  expect(closed).toBe(true);
});

test('closing twice closes once', async () => {
  let times = 0;
  const shutdown = new Shutdown(silentLog);
  shutdown.add('server', () => {
    times += 1;
  });
  await Promise.all([shutdown.close(), shutdown.close()]);
  expect(times).toBe(1);
});
