/** Slow, silent, greedy and unreadable clients, over plain sockets. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Listening, listen } from '../../../src/serve/http/listen.ts';
import { Problem } from '../../../src/serve/problem.ts';
import { eventually } from '../../support/eventually.ts';

const times = {
  headersMs: 200,
  requestMs: 400,
  keepAliveMs: 5000,
  silenceMs: 300,
  checkEveryMs: 20,
  graceMs: 0,
};
let listening: Listening | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listening?.close();
});

const hello: RequestListener = (req, res) => {
  req.resume();
  req.on('end', () => res.end('hello'));
};

async function start(listener = hello, maxConnections = 1000, changed: Partial<typeof times> = {}) {
  const dropped: unknown[] = [];
  listening = await listen(
    listener,
    { host: '127.0.0.1', port: 0, maxConnections },
    { times: { ...times, ...changed }, onDropped: () => dropped.push(1) },
  );
  return { url: listening.url, dropped };
}

async function open(
  url: string,
): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let text = '';
  socket.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, answer: () => text, closed: once(socket, 'close') };
}

/** A byte at a time, for as long as it is let. */
function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 30);
  socket.once('close', () => clearInterval(timer));
}

function problemIn(answer: string): Problem {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const problem = Problem.parse(JSON.parse(body));
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${problem.status} `));
  expect(head).toContain('content-type: application/problem+json');
  expect(head).toContain(`x-request-id: ${problem.requestId}`);
  expect(head).toContain('x-content-type-options: nosniff');
  return problem;
}

test('headers that drip are cut off with 408, and others are answered meanwhile', async () => {
  const { url } = await start();
  const slow = await Promise.all(Array.from({ length: 40 }, () => open(url)));
  for (const { socket } of slow) {
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n');
    drip(socket, 'x-a: b\r\n');
  }
  expect(await (await fetch(url)).text()).toBe('hello');
  for (const { closed, answer } of slow) {
    await closed;
    expect(problemIn(answer()).code).toBe('REQUEST_TIMEOUT');
  }
});

test('a body that drips is cut off with 408', async () => {
  const { url } = await start();
  const { socket, answer, closed } = await open(url);
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n');
  drip(socket, 'x');
  await closed;
  expect(problemIn(answer()).code).toBe('REQUEST_TIMEOUT');
});

test('who asks and takes nothing is cut off', async () => {
  let ended: Promise<unknown> | undefined;
  const { url } = await start((_req, res) => {
    ended = once(res, 'close');
    res.end(Buffer.alloc(64 * 1024 * 1024));
  });
  const { socket } = await open(url);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await eventually(() => expect(ended).toBeDefined());
  await ended;
});

test('who connects and says nothing is cut off', async () => {
  const { url } = await start();
  const { closed } = await open(url);
  await closed;
});

test.each([
  [
    'headers without end',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ${'b'.repeat(20_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'an address without end',
    `GET /?${'b'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['what is no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'INVALID_REQUEST'],
  [
    'two lengths of the body',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    400,
    'INVALID_REQUEST',
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
    'INVALID_REQUEST',
  ],
  ['a header with a line break', 'GET / HTTP/1.1\r\nhost: a\r\nx-a: b\rc\r\n\r\n', 400, 'INVALID_REQUEST'],
])('%s is refused as a problem, and the connection ended', async (_name, sent, status, code) => {
  const { url } = await start();
  const { socket, answer, closed } = await open(url);
  socket.write(sent);
  await closed;
  expect(problemIn(answer())).toMatchObject({ status, code });
});

test('who goes on to send after a refusal has it whole before the connection ends, and is cut off in time', async () => {
  const { url } = await start();
  // Half-open: it sends on until the other side is gone, and reads nothing before that.
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let text = '';
  socket.pause();
  socket.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(`GET /?${'b'.repeat(20_000)}`);
  drip(socket, 'b'.repeat(20_000));
  // As long as it takes to send some more of it.
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.resume();
  await closed;
  expect(problemIn(text).code).toBe('HEADERS_TOO_LARGE');
});

test('every answer of a connection that ends is told so, those too that wait behind the first', async () => {
  let asked = 0;
  let told = 0;
  const { url } = await start((_req, res) => {
    asked++;
    res.once('close', () => told++);
    // The first never comes, which keeps all behind it waiting; every other of those is ready.
    if (asked % 2 === 0) res.end('hello');
  });
  const { socket } = await open(url);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(300));
  await eventually(() => expect(asked).toBe(300));
  expect(told).toBe(0);
  socket.resetAndDestroy();
  await eventually(() => expect(told).toBe(300));
});

test('a connection with too many requests ahead of their answers is ended, and those it had are told so', async () => {
  let asked = 0;
  let told = 0;
  const { url } = await start((_req, res) => {
    asked++;
    res.once('close', () => told++);
  });
  const { socket, closed } = await open(url);
  // It may end with a reset: more was sent than was read.
  closed.catch(() => {});
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(2000));
  await eventually(() => expect(socket.destroyed).toBe(true));
  await eventually(() => expect(told).toBe(asked));
  // The first has the connection.
  expect(asked).toBe(501);
});

test('no more connections than it may hold; with one gone there is room again', async () => {
  const { url, dropped } = await start(hello, 2);
  const ask = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const first = await open(url);
  const second = await open(url);
  for (const { socket, answer } of [first, second]) {
    socket.write(ask);
    await eventually(() => expect(answer()).toContain('hello'));
  }
  const third = await open(url);
  await third.closed;
  expect(dropped).toHaveLength(1);
  expect(third.answer()).toBe('');
  first.socket.end();
  await first.closed;
  const fourth = await open(url);
  fourth.socket.write(ask);
  await eventually(() => expect(fourth.answer()).toContain('hello'));
});

test('at the end an idle connection has its next request answered, and is told to come no more', async () => {
  const { url } = await start(hello, 1000, { silenceMs: 60_000, graceMs: 60_000 });
  const { socket, answer, closed } = await open(url);
  const ask = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
  socket.write(ask);
  await eventually(() => expect(answer()).toContain('hello'));
  const ended = listening?.close();
  socket.write(ask);
  await closed;
  expect(answer().match(/hello/g)).toHaveLength(2);
  expect(answer()).toMatch(/connection: close/i);
  // Long before the grace was over.
  await ended;
});
