import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/serve/http/listen.ts';
import { sendReply } from '../../src/serve/http/send.ts';
import { eventually } from '../support/eventually.ts';

test('a reader that takes nothing any more is cut off, and what makes the body is ended', async () => {
  let ended = false;
  async function* endless() {
    try {
      for (;;) yield 'x'.repeat(1 << 16);
    } finally {
      ended = true;
    }
  }
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  client.pause();
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [, res] = (await once(server, 'request')) as [unknown, ServerResponse];
  await sendReply(res, { status: 200, body: endless() }, 'text/plain', [], { stalledMs: 50 });
  expect(ended).toBe(true);
});

test('what makes the body of an answer whose connection has ended before its turn came is ended', async () => {
  let ended = false;
  const body = (): AsyncIterable<string> => ({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        ended = true;
        return { done: true, value: undefined };
      },
    }),
  });
  const asked: ServerResponse[] = [];
  const listening = await listen(
    (_req, res) => {
      asked.push(res);
      if (asked.length === 2)
        res.once('close', () => sendReply(res, { status: 200, body: body() }, 'text/plain'));
    },
    { host: '127.0.0.1', port: 0, maxConnections: 10 },
  );
  onTestFinished(listening.close);
  const client = connect(Number(new URL(listening.url).port), '127.0.0.1');
  client.on('error', () => {});
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2));
  await eventually(() => expect(asked).toHaveLength(2));
  client.resetAndDestroy();
  await eventually(() => expect(ended).toBe(true));
});

test('texts arrive as they are, and are as long as is said, whichever characters they have', async () => {
  const texts = ['{"a":"plain"}', '{"a":"Grün"}', '{"a":"茶 🍵"}', ''];
  const server = createServer((req, res) => {
    sendReply(res, { status: 200, body: texts[Number(req.url?.slice(1))] }, 'text/plain');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const [at, text] of texts.entries()) {
    const answer = await fetch(`http://127.0.0.1:${port}/${at}`);
    expect(await answer.text()).toBe(text);
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
  }
});
