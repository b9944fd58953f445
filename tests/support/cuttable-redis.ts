/** A way to Redis that can be cut and mended: what a service sees when its Redis goes away and comes back. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { freePort } from '../../src/infra/free-port.ts';

export type CuttableRedis = {
  url: string;
  /** Breaks every connection and refuses new ones. */
  cut: () => Promise<void>;
  mend: () => Promise<void>;
  /** Resolves when the text is on its way to Redis, which it never reaches, nor does what its connection sends after it. */
  hold: (text: string) => Promise<void>;
  close: () => Promise<void>;
};

export async function cuttableRedis(url: string): Promise<CuttableRedis> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let held: { text: string; met: () => void } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
    }
    const toRedis = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (held === undefined || !chunk.includes(held.text)) return done(null, chunk);
        // Never done: the connection stands still.
        held.met();
        held = undefined;
      },
    });
    client
      .pipe(toRedis)
      .pipe(upstream)
      .on('close', () => client.destroy());
    upstream.pipe(client).on('close', () => upstream.destroy());
  });
  const port = await freePort();
  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();
  const cut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const way = new URL(url);
  way.host = `127.0.0.1:${port}`;
  return {
    url: way.href,
    cut,
    mend: listen,
    hold: (text) =>
      new Promise((met) => {
        held = { text, met };
      }),
    close: () => (server.listening ? cut() : Promise.resolve()),
  };
}
