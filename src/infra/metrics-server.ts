/** Where Prometheus asks a process on a port of its own, without a key: the port is for the network inside. */
import { createServer, type Server } from 'node:http';
import type { Logger } from './logger.ts';
import type { MetricsSource } from './process-metrics.ts';

export type MetricsServer = { url: string; close: () => Promise<void> };

/**
 * Serves `/metrics` and `/livez`. Where the port is taken (a second process on the machine), a free one is used and a
 * warning tells which: work is not to wait for being watched. `setting` is where the port comes from.
 */
export async function serveMetrics(
  source: MetricsSource,
  isAlive: () => boolean,
  address: { host: string; port: number; setting: string },
  log: Logger,
): Promise<MetricsServer> {
  const server = createServer((req, res) => {
    const path = req.url?.split('?')[0];
    if (req.method !== 'GET' || (path !== '/metrics' && path !== '/livez')) {
      res.writeHead(404).end();
    } else if (path === '/livez') {
      res.writeHead(isAlive() ? 200 : 503, { 'content-type': 'text/plain' }).end(isAlive() ? 'ok' : 'stuck');
    } else {
      source.metrics().then(
        (text) => res.writeHead(200, { 'content-type': source.contentType }).end(text),
        (err) => {
          log.error({ event: 'metrics.failed', err }, 'metrics could not be collected');
          res.writeHead(500).end();
        },
      );
    }
  });
  await listen(server, address.host, address.port).catch(async (err: NodeJS.ErrnoException) => {
    if (err.code !== 'EADDRINUSE') throw err;
    await listen(server, address.host, 0);
    log.warn(
      { event: 'metrics.port', wanted: address.port, taken: portOf(server) },
      `port ${address.port} is taken (${address.setting}): metrics are at port ${portOf(server)}`,
    );
  });
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${portOf(server)}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
