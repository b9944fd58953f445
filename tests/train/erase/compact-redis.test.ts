/** What servers and their replicas keep on disk of what was deleted. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, type Redis } from '../../../src/infra/redis.ts';
import { compactRedis } from '../../../src/train/erase/compact-redis.ts';
import { eventually } from '../../support/eventually.ts';
import { type OwnRedis, ownRedis } from '../../support/own-redis.ts';
import { describeNative, silentLog } from '../../support/redis.ts';

const gone = 'anna-4c1e77';
const stays = 'bert-9d02aa';

describeNative('a server with a replica', () => {
  async function startServer(settings: Readonly<Record<string, string>> = {}) {
    const own = await ownRedis();
    onTestFinished(() => own.remove());
    await own.start(settings);
    const redis = connectRedis(own.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => redis.disconnect());
    return { own, redis };
  }

  /** A primary and a replica, both of which have written to disk what was deleted since. */
  async function startPair(settings: Readonly<Record<string, string>> = {}) {
    const password = { requirepass: 'secret-word' };
    const primary = await startPrimary(password);
    const replica = await startServer({ ...settings, masterauth: 'secret-word' });
    await replica.redis.replicaof('127.0.0.1', Number(new URL(primary.own.url).port));
    await replica.redis.config('SET', 'requirepass', 'secret-word');
    await eventually(async () =>
      expect(await primary.redis.info('replication')).toMatch(/slave0:.*state=online/),
    );
    await primary.redis.set('kept', stays);
    await primary.redis.set('deleted', gone);
    await primary.redis.del('deleted');
    await eventually(async () => {
      for (const { own } of [primary, replica])
        expect([await filesWith(own, gone), await filesWith(own, stays)]).toEqual([1, 1]);
    });
    return { primary, replica };
  }

  /** The password is set once it runs: the probe that waits for it has none. */
  async function startPrimary({ requirepass }: { requirepass: string }) {
    const { own, redis: first } = await startServer({ 'repl-diskless-sync-delay': '0' });
    await first.config('SET', 'requirepass', requirepass);
    const url = own.url.replace('redis://', `redis://:${requirepass}@`);
    const redis: Redis = connectRedis(url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => redis.disconnect());
    return { own, redis };
  }

  async function filesWith({ folder }: OwnRedis, text: string): Promise<number> {
    let found = 0;
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).includes(text)) found++;
    return found;
  }

  test('both write their files anew, with the same password', async () => {
    const { primary, replica } = await startPair();
    expect(await compactRedis(primary.redis)).toBe('rewritten');
    for (const { own } of [primary, replica]) {
      // The file before it is removed a moment later, by a thread of the server.
      await eventually(async () => expect(await filesWith(own, gone)).toBe(0));
      expect(await filesWith(own, stays)).toBe(1);
    }
  });

  test('a replica that cannot be reached from here is told of', async () => {
    const { primary, replica } = await startPair({ 'replica-announce-port': '1' });
    expect(await compactRedis(primary.redis)).toBe('replicasNotAsked');
    expect(await filesWith(replica.own, gone)).toBe(1);
  });

  test('so is one that does not let its clients ask', async () => {
    const { primary, replica } = await startPair();
    await replica.redis.acl('SETUSER', 'default', '-bgrewriteaof');
    expect(await compactRedis(primary.redis)).toBe('replicasNotAsked');
  });

  test('a server that keeps nothing on disk has nothing to be rewritten', async () => {
    const { redis } = await startServer({ appendonly: 'no' });
    expect(await compactRedis(redis)).toBe('none');
  });
});
