import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { sendReply } from '../../src/serve/http/send.ts';

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
