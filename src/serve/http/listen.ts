/** The socket side: listening, what the HTTP parser refuses, and going away without dropping anybody. */
import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, UsageError } from '../../domain/errors.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { closeQueued } from './close-queued.ts';
import { giveRequestId, securityHeaderLines, setSecurityHeaders } from './exchange.ts';
import { problemText, sendProblem } from './send.ts';

export type Listening = {
  url: string;
  /** Takes no more connections, lets requests under way finish, then closes; within a bound. */
  close: () => Promise<void>;
};

/** Slow or silent clients hold a connection for no longer. Milliseconds. */
export type Patience = {
  /** From the first byte of a request to the last of its headers. */
  headersMs: number;
  /** For the whole request, body included: a sender that drips is cut off. */
  requestMs: number;
  /** Longer than the usual 60 s of load balancers, so that it is they who close an idle connection. */
  keepAliveMs: number;
  /** Nothing sent or taken either way; longer than the longest answer takes to work out. */
  silenceMs: number;
  /** How often the first two are looked at: they hold within that. */
  checkEveryMs: number;
  /**
   * At the end, how long idle connections are kept: the next request over one may be on its way already, and is answered with
   * the word to come no more, where a connection that closes under it would lose it.
   */
  graceMs: number;
};

export const patience: Patience = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  silenceMs: 300_000,
  checkEveryMs: 2000,
  graceMs: 1000,
};
/** Connections that wait to be taken up: past it the kernel lets callers try again after one, three, seven seconds. */
const backlog = 4096;
const maxHeaders = 100;
const maxHeaderBytes = 16 * 1024;
/** A connection that is kept for ever stays with one process; now and then it is to be made anew, which spreads the load. */
const maxRequestsPerConnection = 100_000;
const drainTimeoutMs = 10_000;
const handBackMs = 250;

/** Throws UsageError where the address cannot be had. */
export async function listen(
  listener: RequestListener,
  { host, port, maxConnections }: { host: string; port: number; maxConnections: number },
  { onDropped = () => {}, times = patience }: { onDropped?: () => void; times?: Patience } = {},
): Promise<Listening> {
  let draining = false;
  const answerBy =
    (answer: RequestListener): RequestListener =>
    (req, res) => {
      // A client with a kept-alive connection is told to look elsewhere for its next request.
      if (draining) res.setHeader('connection', 'close');
      if (closeQueued(req.socket, res)) answer(req, res);
    };
  const server = createServer(
    {
      headersTimeout: times.headersMs,
      requestTimeout: times.requestMs,
      keepAliveTimeout: times.keepAliveMs,
      connectionsCheckingInterval: times.checkEveryMs,
      maxHeaderSize: maxHeaderBytes,
      // Node's own refusal has no word in it.
      requireHostHeader: false,
    },
    answerBy((req, res) => {
      if (lacksHost(req)) refuse(req, res, withoutHost());
      else listener(req, res);
    }),
  );
  server.on(
    'checkExpectation',
    answerBy((req, res) => refuse(req, res, unmetExpectation())),
  );
  server.maxHeadersCount = maxHeaders;
  server.maxRequestsPerSocket = maxRequestsPerConnection;
  server.maxConnections = maxConnections;
  server.timeout = times.silenceMs;
  server.on('drop', onDropped);
  server.on('clientError', answerUnparsable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => reject(listenFailure(err, host, port)));
    server.listen({ port, host, backlog }, resolve);
  });
  return {
    url: urlOf(host, (server.address() as AddressInfo).port),
    close: async () => {
      draining = true;
      await drain(server, times.graceMs);
      // A connection that the primary has just handed over is handed back, for which this process must still be there.
      if (cluster.isWorker) await sleep(handBackMs);
    },
  };
}

function drain(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    let sweep: NodeJS.Timeout | undefined;
    const grace = setTimeout(() => {
      // Takes back what HTTP holds of it; by now the socket has long been closed.
      server.close(() => {});
      // A connection becomes idle when its last request is answered; close() by itself looks only once.
      sweep = setInterval(() => server.closeIdleConnections(), 50);
    }, graceMs);
    const giveUp = setTimeout(() => server.closeAllConnections(), drainTimeoutMs);
    // Takes no more connections. `http.Server`'s own also closes the idle ones, at once.
    NetServer.prototype.close.call(server, () => {
      for (const timer of [grace, giveUp]) clearTimeout(timer);
      clearInterval(sweep);
      server.close(() => {});
      resolve();
    });
  });
}

/** RFC 9112, 3.2: HTTP/1.1 names the host that is asked, be it by nothing. */
function lacksHost({ headers, httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersionMajor === 1 && httpVersionMinor > 0;
}

function withoutHost(): AppError {
  return new AppError('INVALID_REQUEST', {
    public: 'A request of HTTP/1.1 names whom it asks.',
    faults: [{ path: 'headers.host', message: 'is missing' }],
  });
}

function unmetExpectation(): AppError {
  return new AppError('EXPECTATION_FAILED', {
    public: 'Leave the header Expect out, or send 100-continue.',
    faults: [{ path: 'headers.expect', message: 'must be 100-continue' }],
  });
}

/** What Node would answer by itself, without a body, before anybody here has seen it. */
function refuse(req: IncomingMessage, res: ServerResponse, error: AppError): void {
  const requestId = giveRequestId(req, res);
  setSecurityHeaders(res);
  sendProblem(res, error, requestId);
}

/** Connections that have had their last answer. */
const refused = new WeakSet<Socket>();

/** Not HTTP, headers without end, or a request that does not come to its end: Express never sees it. */
function answerUnparsable(err: NodeJS.ErrnoException, socket: Socket): void {
  // What still comes of the same request is another fault to the parser. Closed now, with bytes unread, the connection would be
  // reset, and the answer lost on its way.
  if (refused.has(socket) && err.code !== 'ECONNRESET') return;
  refused.add(socket);
  if (!socket.writable || err.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const error = unparsable(err.code);
  const requestId = randomUUID();
  const body = problemText(error, requestId);
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nx-request-id: ${requestId}\r\n${securityHeaderLines}` +
      `content-type: ${PROBLEM_TYPE}; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
  // Who does not read it, or goes on to send, is not waited for.
  const over = setTimeout(() => socket.destroy(), lastWordMs);
  socket.once('close', () => clearTimeout(over));
}

const lastWordMs = 2000;

function unparsable(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new AppError('HEADERS_TOO_LARGE', {
      public: `Address and headers may have ${maxHeaderBytes / 1024} KB together. Put long lists into a body, where the call takes one.`,
    });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('REQUEST_TIMEOUT', {
      public: 'The request did not come to its end in time. Send it again, over a new connection.',
    });
  return new AppError('INVALID_REQUEST', { public: 'This is no HTTP request that can be read here.' });
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

/** Where a service on this address is reached from this machine. */
export function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
