import { expect, test } from 'vitest';
import { createBufferedSink } from '../../src/simulation/buffered-sink.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A disk whose writes end when the test says so. */
function slowDisk() {
  const written: Record<string, string> = {};
  const waiting: (() => void)[] = [];
  return {
    written,
    waiting,
    async write(file: string, chunk: Uint8Array): Promise<void> {
      const text = Buffer.from(chunk).toString();
      await new Promise<void>((resolve) => waiting.push(resolve));
      written[file] = (written[file] ?? '') + text;
    },
  };
}

test('nothing is handed on before a chunk is full, and everything at the flush, in order', async () => {
  const chunks: string[] = [];
  const sink = createBufferedSink(async (file, chunk) => {
    chunks.push(`${file}:${Buffer.from(chunk).toString()}`);
  }, 8);
  expect(sink.write('events', 'aaa\n')).toBeUndefined();
  expect(sink.write('truth', 't\n')).toBeUndefined();
  expect(chunks).toEqual([]);
  expect(sink.write('events', 'bbb\n')).toBeUndefined();
  expect(sink.write('events', 'ccc\n')).toBeUndefined();
  expect(chunks).toEqual(['events:aaa\nbbb\n']);
  await sink.flush();
  expect(chunks).toEqual(['events:aaa\nbbb\n', 'events:ccc\n', 'truth:t\n']);
});

test('with one chunk on its way and the next full, a write waits: two chunks are all that is held', async () => {
  const disk = slowDisk();
  const sink = createBufferedSink(disk.write, 8);
  sink.write('events', 'aaaaaaa\n');
  expect(sink.write('events', 'bbbbbbb\n')).toBeUndefined();
  const third = sink.write('events', 'ccccccc\n');
  expect(third).toBeInstanceOf(Promise);
  let done = false;
  void third?.then(() => {
    done = true;
  });
  await settle();
  expect(done).toBe(false);
  // Another file has buffers of its own.
  expect(sink.write('truth', 'ttttttt\n')).toBeUndefined();
  disk.waiting.shift()?.();
  await third;
  const flushed = sink.flush();
  for (let turn = 0; turn < 8; turn++) {
    disk.waiting.shift()?.();
    await settle();
  }
  await flushed;
  expect(disk.written).toEqual({ events: 'aaaaaaa\nbbbbbbb\nccccccc\n', truth: 'ttttttt\n' });
});

test('a chunk on its way is not overwritten by what comes after it', async () => {
  const held: Uint8Array[] = [];
  const finish: (() => void)[] = [];
  const sink = createBufferedSink((_, chunk) => {
    held.push(chunk);
    return new Promise((resolve) => finish.push(resolve));
  }, 8);
  sink.write('events', 'aaaaaaa\n');
  sink.write('events', 'bbbbbbb\n');
  expect(Buffer.from(held[0]!).toString()).toBe('aaaaaaa\n');
  finish[0]?.();
});

test('lines longer than a chunk go through whole, after those before them', async () => {
  let text = '';
  const sink = createBufferedSink(async (_, chunk) => {
    await settle();
    text += Buffer.from(chunk).toString();
  }, 8);
  sink.write('events', 'short\n');
  await sink.write('events', 'longer than eight\n');
  sink.write('events', 'after\n');
  await sink.flush();
  expect(text).toBe('short\nlonger than eight\nafter\n');
});

test('characters beyond ASCII are counted in bytes', async () => {
  const sizes: number[] = [];
  let text = '';
  const sink = createBufferedSink(async (_, chunk) => {
    sizes.push(chunk.length);
    text += Buffer.from(chunk).toString();
  }, 8);
  // Three bytes each in UTF-8, and a line feed.
  for (let i = 0; i < 3; i++) sink.write('items', '€€\n');
  await sink.flush();
  expect(text).toBe('€€\n€€\n€€\n');
  expect(sizes).toEqual([7, 7, 7]);
});

test('a failed write rejects whoever writes on, and the flush', async () => {
  const full = new Error('no space left');
  const sink = createBufferedSink(() => Promise.reject(full), 8);
  sink.write('events', 'aaaaaaa\n');
  sink.write('events', 'bbbbbbb\n');
  await settle();
  await expect(sink.write('events', 'ccccccc\n')).rejects.toBe(full);
  await expect(sink.flush()).rejects.toBe(full);
});
