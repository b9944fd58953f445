import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
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
