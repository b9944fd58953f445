/** The socket side: listening, what the HTTP parser refuses, and going away without dropping anybody. */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError, UsageError } from '../../domain/errors.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { problemText } from './send.ts';

export type Listening = {
  url: string;
  /** Takes no more connections, lets requests under way finish, then closes; within a bound. */
  close: () => Promise<void>;
};

const headersTimeoutMs = 10_000;
/** For the whole request, body included: a sender that drips is cut off. */
const requestTimeoutMs = 30_000;
/** Longer than the usual 60 s of load balancers, so that it is they who close an idle connection. */
const keepAliveTimeoutMs = 65_000;
const drainTimeoutMs = 10_000;

/** Throws UsageError where the address cannot be had. */
export async function listen(listener: RequestListener, host: string, port: number): Promise<Listening> {
  let draining = false;
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 5000,
    },
    (req, res) => {
      // A client with a kept-alive connection is told to look elsewhere for its next request.
      if (draining) res.setHeader('connection', 'close');
      listener(req, res);
    },
  );
  server.on('clientError', answerUnparsable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => reject(listenFailure(err, host, port)));
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(host, (server.address() as AddressInfo).port),
    close: () => {
      draining = true;
      return drain(server);
    },
  };
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection becomes idle when its last request is answered; close() by itself looks only once.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const giveUp = setTimeout(() => server.closeAllConnections(), drainTimeoutMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(giveUp);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Not HTTP, or headers without end: Express never sees it. */
function answerUnparsable(err: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || err.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    err.code === 'HPE_HEADER_OVERFLOW' ? 431 : err.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const error = new AppError('INVALID_REQUEST', { public: 'This is no HTTP request that can be read here.' });
  const body = problemText(error, randomUUID());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_TYPE}; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function listenFailure(err: NodeJS.ErrnoException, host: string, port: number): Error {
  if (err.code === 'EADDRINUSE')
    return new UsageError(`Port ${port} is taken already. Set PORT to another, or to 0 for a free one.`);
  if (err.code === 'EACCES')
    return new UsageError(`Port ${port} may not be used by this user. Set PORT to one above 1023.`);
  if (err.code === 'EADDRNOTAVAIL' || err.code === 'ENOTFOUND')
    return new UsageError(
      `HOST ${host} is no address of this machine (127.0.0.1: from here only; 0.0.0.0: from anywhere).`,
    );
  return err;
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
