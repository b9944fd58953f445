/**
 * What the service is measured beside: the least that an HTTP server can do on this machine, with and without Express, and
 * with and without one look into Redis. Runs in a process of its own: `node serve-reference.js NAME REDIS_URL KEY`, and prints
 * its address.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';

const [name, redisUrl = '', key = ''] = process.argv.slice(2);
const redis = name?.endsWith('+GET') ? new Redis(redisUrl, { enableAutoPipelining: true }) : undefined;
const hello = Buffer.from('{"hello":"world"}');

/** The value's bytes are the answer: nothing is parsed, nothing is reckoned. */
async function bodyOf(): Promise<Buffer> {
  return redis === undefined ? hello : ((await redis.getBuffer(key)) ?? hello);
}

const plain: RequestListener = async (_req, res) => {
  const body = await bodyOf();
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  res.end(body);
};

function withExpress(): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/', async (_req, res) => {
    const body = await bodyOf();
    res.setHeader('content-type', 'application/json');
    res.send(body);
  });
  return app;
}

const server = createServer(name?.startsWith('express') ? withExpress() : plain);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
