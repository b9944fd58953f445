import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';

const bullmqChild = createRequire(import.meta.url)
  .resolve('bullmq')
  .replace(/index\.js$/, 'classes/main.js');
const source = new URL('../../src/train/', import.meta.url).href;

test.each([['processor.js'], ['batch/batch-processor.js']])(
  '%s: a child whose worker is killed while it starts ends too',
  async (file) => {
    const child = fork(bullmqChild, {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, LOG_LEVEL: 'silent' },
    });
    try {
      const exited = once(child, 'exit');
      // BullMQ's first word to a child: which file has the processor. The worker is gone before it is loaded.
      child.send({ cmd: 0, value: new URL(`file://${builtEntry(file, `${source}worker.ts`)}`).href });
      child.disconnect();
      expect(await exited).toEqual([1, null]);
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('a child whose worker is killed in the middle of arithmetic ends when it has something to tell', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-sandbox-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const sandbox = pathToFileURL(builtEntry('sandbox.js', `${source}worker.ts`)).href;
  const processor = join(folder, 'processor.mjs');
  // Nothing has its turn between the byte that it waits for and what it tells then.
  await writeFile(
    processor,
    `import { readSync, writeSync } from 'node:fs';
     import { endWithTheWorker } from ${JSON.stringify(sandbox)};
     endWithTheWorker();
     export default async (job) => {
       writeSync(1, 'counting');
       readSync(0, Buffer.alloc(1));
       await job.updateProgress(1);
     };`,
  );
  const child = fork(bullmqChild, { stdio: ['pipe', 'pipe', 'ignore', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  child.send({ cmd: 0, value: pathToFileURL(processor).href });
  await once(child, 'message');
  child.send({ cmd: 1, job: { data: '{}' } });
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  child.disconnect();
  await once(child, 'disconnect');
  // The channel is closed with this turn of the event loop.
  await new Promise(setImmediate);
  child.stdin?.end('.');
  expect(await exited).toEqual([1, null]);
});
