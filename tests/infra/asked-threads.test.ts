import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { askThreads } from '../../src/infra/asked-threads.ts';

/** Answers with twice the number and its own name; refuses 13, ends at 99, and never answers 0. */
const code = `
const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', ({ request, number }) => {
  if (number === 99) process.exit(1);
  if (number === 0) return;
  if (number === 13) parentPort.postMessage({ request, error: new Error('no thirteen') });
  else parentPort.postMessage({ request, twice: 2 * number, by: threadId });
});
parentPort.postMessage({ ready: true });
`;
type Reply =
  | { ready: true }
  | { request: number; error: unknown }
  | { request: number; twice: number; by: number };

const open = (threads: number, text = code) =>
  askThreads<{ number: number }, Reply>(
    threads,
    () => new Worker(text, { eval: true }),
    'a thread that doubles',
  );

test('each answer is that of its request, and the threads take turns', async () => {
  const { ask, close } = await open(2);
  const answers = await Promise.all([1, 2, 3, 4].map((number) => ask({ number })));
  expect(answers.map(({ twice }) => twice)).toEqual([2, 4, 6, 8]);
  expect(new Set(answers.map(({ by }) => by)).size).toBe(2);
  await close();
});

test('what one request is refused, the next is not', async () => {
  const { ask, close } = await open(1);
  await expect(ask({ number: 13 })).rejects.toThrow('no thirteen');
  expect(await ask({ number: 5 })).toMatchObject({ twice: 10 });
  await close();
});

test('a thread that ends refuses what waits for it, and all that comes', async () => {
  const { ask, close } = await open(1);
  const waiting = ask({ number: 0 });
  const ending = ask({ number: 99 });
  await expect(waiting).rejects.toThrow('a thread that doubles has ended');
  await expect(ending).rejects.toThrow('a thread that doubles has ended');
  await expect(ask({ number: 1 })).rejects.toThrow('a thread that doubles has ended');
  await close();
});

test('a thread that ends before it is ready is told of at once', async () => {
  await expect(open(1, 'process.exit(1)')).rejects.toThrow('a thread that doubles ended before it began');
});

test('where one thread does not start, the others are ended, ready or not', async () => {
  const neverReady = 'setInterval(() => {}, 1000)';
  const texts = [code, 'process.exit(1)', neverReady];
  const opened: Worker[] = [];
  const starting = askThreads<{ number: number }, Reply>(
    3,
    () => {
      const worker = new Worker(texts[opened.length] ?? '', { eval: true });
      opened.push(worker);
      return worker;
    },
    'a thread that doubles',
  );
  await expect(starting).rejects.toThrow('a thread that doubles ended before it began');
  // Of a thread that has ended.
  expect(opened.map(({ threadId }) => threadId)).toEqual([-1, -1, -1]);
});
