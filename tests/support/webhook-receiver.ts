/** A CRM's receiver (node:http) that a test makes fail, hang and come back. It verifies every signature by its own means. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { CustomerId } from '../../src/domain/ids.ts';
import { Notice } from '../../src/domain/webhook.ts';
import { freePort } from '../../src/infra/free-port.ts';
import { noticeOf, strangerToRecords } from '../../src/webhooks/notice.ts';

export const testSecret = `whsec_${Buffer.alloc(32, 'test').toString('base64')}`;

export type Received = {
  id: string;
  timestamp: number;
  notice: Notice;
  verified: boolean;
  contentType: string;
};

/** Of a rating of anna's; each event id is another notice. */
export function ratingNotice(eventId: string): Notice {
  const at = Date.UTC(2026, 0, 5);
  return noticeOf(
    'anna' as CustomerId,
    { kind: 'lowRating', eventId, at, channel: 'web', rating: 1 },
    strangerToRecords,
  );
}

/** Answers a request; the default acknowledges it. */
export type Behaviour = (received: Received, response: ServerResponse) => void;

export const acknowledges: Behaviour = (_received, response) => void response.writeHead(204).end();
export const answers =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (_received, response) =>
    void response.writeHead(status, headers).end('{"private": "of the receiver"}');
export const hangs: Behaviour = () => {};
export const cuts: Behaviour = (_received, response) => void response.socket?.destroy();

export type Receiver = {
  url: string;
  /** Every request, in the order in which they came. */
  received: Received[];
  /** As a receiver dedups: what was acknowledged with a 2xx, once an id, with how often it was. */
  taken: () => Map<string, number>;
  behave: (behaviour: Behaviour) => void;
  /** Refuses connections. */
  stop: () => Promise<void>;
  /** Listens on the same port again. */
  restart: () => Promise<void>;
};

export async function webhookReceiver(secret = testSecret): Promise<Receiver> {
  const received: Received[] = [];
  const taken = new Map<string, number>();
  let behaviour = acknowledges;
  const server = createServer(async (request, response) => {
    const one = await read(request, secret);
    received.push(one);
    response.on('finish', () => {
      if (response.statusCode < 300) taken.set(one.id, (taken.get(one.id) ?? 0) + 1);
    });
    behaviour(one, response);
  });
  const port = await freePort();
  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    taken: () => taken,
    behave: (next) => {
      behaviour = next;
    },
    stop,
    restart: listen,
  };
}

async function read(request: IncomingMessage, secret: string): Promise<Received> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString();
  const header = (name: string) => String(request.headers[name] ?? '');
  return {
    id: header('webhook-id'),
    timestamp: Number(header('webhook-timestamp')),
    notice: Notice.parse(JSON.parse(body)),
    verified: await verifies(secret, header, body),
    contentType: header('content-type'),
  };
}

/** By the Web Crypto API, which shares nothing with what signs. */
async function verifies(secret: string, header: (name: string) => string, body: string): Promise<boolean> {
  const bytes = Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ]);
  const text = new TextEncoder().encode(`${header('webhook-id')}.${header('webhook-timestamp')}.${body}`);
  for (const given of header('webhook-signature').split(' ')) {
    const [version, base64 = ''] = given.split(',');
    const signature = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    if (version === 'v1' && (await crypto.subtle.verify('HMAC', key, signature, text))) return true;
  }
  return false;
}
