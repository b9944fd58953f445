/** A process that closes its job worker ends by itself, whatever its sandbox is doing at that moment (the built worker, a real Redis). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';
import { createJobQueue } from '../../src/infra/job-queue.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { keys, prefix, url } = testRedis();

const built = (path: string) =>
  JSON.stringify(pathToFileURL(builtEntry(`../../src/${path}`, import.meta.url)).href);

test('also while it is being started: the job is given back, and no child keeps the process from ending', async () => {
  const queue = createJobQueue(url, keys, silentLog);
  onTestFinished(queue.close);
  const { jobId } = await queue.enqueue('refresh-features', {});
  // Closes as soon as it has the job: its sandbox takes a while from there to where it could begin.
  const script = `
    const { startJobWorker } = await import(${built('train/job-worker.js')});
    const { connectRedis } = await import(${built('infra/redis.js')});
    const { createKeys } = await import(${built('infra/keys.js')});
    const { createLogger } = await import(${built('infra/logger.js')});
    const log = createLogger('silent', 'tests');
    const redis = connectRedis(${JSON.stringify(url)}, 'tests', { kind: 'patient' }, log);
    let begun;
    const isTaken = new Promise((resolve) => (begun = resolve));
    const told = { info: (about) => about.event === 'job.started' && begun(), warn: () => {}, error: () => {} };
    const metrics = { jobDuration: { observe: () => {} }, jobsStalled: { inc: () => {} } };
    const env = { ...process.env, REDIS_URL: ${JSON.stringify(url)}, KEY_PREFIX: ${JSON.stringify(prefix)}, LOG_LEVEL: 'silent' };
    const worker = await startJobWorker({ redis, keys: createKeys(${JSON.stringify(prefix)}), env, metrics, log: told });
    await isTaken;
    await worker.close();
    redis.disconnect();`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await queue.get(jobId)).toMatchObject({ state: 'waiting' });
}, 120_000);
