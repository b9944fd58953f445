/** A primary with a replica, watched by a sentinel: the client finds the primary by its name, and the next one when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/infra/free-port.ts';
import { connectRedis, type Redis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';
import { describeNative, silentLog } from '../support/redis.ts';

describeNative('sentinel', () => {
  let folder: string;
  let primary: ChildProcess;
  const others: ChildProcess[] = [];
  let redis: Redis;
  /** A client of the sentinel itself. */
  let sentinel: Redis;

  async function start(name: string, conf: string, ...flags: string[]): Promise<ChildProcess> {
    const dir = join(folder, name);
    await mkdir(dir);
    const file = join(dir, 'redis.conf');
    await writeFile(file, `bind 127.0.0.1\ndir ${dir}\nsave ""\n${conf}`);
    return spawn('redis-server', [file, ...flags], { stdio: 'ignore' });
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nextbest-sentinel-'));
    const [first, second, watcher] = [await freePort(), await freePort(), await freePort()];
    primary = await start('primary', `port ${first}\n`);
    others.push(
      await start('replica', `port ${second}\nreplicaof 127.0.0.1 ${first}\nrepl-diskless-sync-delay 0\n`),
      await start(
        'sentinel',
        `port ${watcher}\nsentinel monitor shop 127.0.0.1 ${first} 1\nsentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 2000\n`,
        '--sentinel',
      ),
    );
    sentinel = connectRedis(`redis://127.0.0.1:${watcher}`, 'tests', { kind: 'patient' }, silentLog);
    redis = connectRedis(
      `redis-sentinel://127.0.0.1:${watcher}/shop`,
      'tests',
      { kind: 'failFast', timeoutMs: 1000 },
      silentLog,
    );
  });
  afterAll(async () => {
    redis?.disconnect();
    sentinel?.disconnect();
    for (const child of [primary, ...others]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  });

  test('the client follows a failover, and what the replica had is there', async () => {
    await eventually(() => redis.set('kept', 'yes'));
    await eventually(async () => expect(await redis.info('replication')).toMatch(/slave0:.*state=online/));
    await eventually(async () => {
      const info = await redis.info('replication');
      expect(info).toContain(`,offset=${/master_repl_offset:(\d+)/.exec(info)?.[1]},`);
    });
    // It asks the primary for its replicas every ten seconds; before it knows of one, there is nobody to take over.
    await eventually(async () =>
      expect(String(await sentinel.call('SENTINEL', 'REPLICAS', 'shop'))).toMatch(
        /,flags,slave,.*,master-link-status,ok,/,
      ),
    );
    primary.kill('SIGKILL');
    await eventually(() => redis.set('after', 'too'));
    expect(await redis.mget('kept', 'after')).toEqual(['yes', 'too']);
    expect(await redis.info('replication')).toContain('role:master');
  });
});
