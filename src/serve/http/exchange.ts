/** What every exchange of request and answer has, whichever lane it takes: an id, headers, figures, and an end in order. */
import { randomUUID } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { Logger } from '../../infra/logger.ts';
import type { Observer, ResolvedHistogram } from '../../infra/resolved-metrics.ts';
import type { ServeMetrics } from '../metrics.ts';
import { asAppError } from '../problem.ts';
import { handedOver } from './close-queued.ts';
import { sendProblem } from './send.ts';

/** `route`: the pattern that matched, for the metrics. `keyId`: who asked, for the log. */
export type ExchangeInfo = { requestId: string; route?: string; keyId?: string | undefined };

/** Takes over the caller's `X-Request-Id` where it is one, so that a trace goes through; answers it in any case. */
export function giveRequestId(req: IncomingMessage, res: ServerResponse): string {
  const id = requestIdOf(req);
  res.setHeader('x-request-id', id);
  return id;
}

export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Answers are data: no browser is to run, frame or guess anything of them. */
const helmetOfData = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  // For whoever ends TLS in front of this service to say.
  strictTransportSecurity: false,
});

/** They are the same for every answer: asking helmet's dozen functions each time costs more than a look into Redis. */
const securityHeaders = headersOf(helmetOfData);

/** As `writeHead` takes them: name, value, name, value … */
export const flatSecurityHeaders: readonly string[] = securityHeaders.flat();

/** As lines, for answers that no `ServerResponse` makes. */
export const securityHeaderLines = securityHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join('');

export function setSecurityHeaders(res: ServerResponse): void {
  for (const [name, value] of securityHeaders) res.setHeader(name, value);
}

function headersOf(middleware: ReturnType<typeof helmet>): [string, string][] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  middleware(request, response, (err?: unknown) => {
    if (err !== undefined) throw err;
  });
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
}

/** Route patterns, never paths: a label must not grow with the catalogue. */
export function measureExchange(
  req: IncomingMessage,
  res: ServerResponse,
  info: ExchangeInfo,
  metrics: ServeMetrics,
  log: Logger,
): void {
  const startedAt = performance.now();
  metrics.requestsInFlight.value++;
  let counted = true;
  const leave = () => {
    if (counted) metrics.requestsInFlight.value--;
    counted = false;
  };
  // One that waits for its turn, complete, costs nothing more; its reader must not keep others out by taking none.
  if (res.socket === null) res.once(handedOver, leave);
  res.once('close', () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const { route = 'unmatched', requestId, keyId } = info;
    // 499: the client went away before its answer was complete (nginx's number for it).
    const status = res.writableFinished ? res.statusCode : 499;
    leave();
    durationsOf(metrics.requestDuration, route, req.method, status).observe(seconds);
    if (log.isLevelEnabled('debug'))
      log.debug(
        { event: 'request', route, method: req.method, status, seconds, requestId, keyId },
        'request',
      );
  });
}

/**
 * A request that was refused before anything of it was looked at: among the answers, so that the share of those that fail knows of it,
 * and not among those in flight, by which the gate decides.
 */
export function measureShed(
  req: IncomingMessage,
  res: ServerResponse,
  metrics: Pick<ServeMetrics, 'requestDuration'>,
  startedAt: number,
): void {
  const seconds = (performance.now() - startedAt) / 1000;
  durationsOf(metrics.requestDuration, 'shed', req.method, res.statusCode).observe(seconds);
}

type Durations = ResolvedHistogram<'route' | 'method' | 'status'>;

/** The series of a route, by its method and status. */
type OfRoute = Map<number, Observer>;

/** The series of each service in this process, which are looked up at every request. */
const durations = new WeakMap<Durations, Map<string, OfRoute>>();

function durationsOf(
  histogram: Durations,
  route: string,
  method: string | undefined,
  status: number,
): Observer {
  let routes = durations.get(histogram);
  if (routes === undefined) {
    routes = new Map();
    durations.set(histogram, routes);
  }
  let known = routes.get(route);
  if (known === undefined) {
    known = new Map();
    routes.set(route, known);
  }
  const at = methods.indexOf(method ?? '');
  // A number: a text that is put together for each look would have to be hashed each time.
  const key = status * (methods.length + 1) + at;
  let observer = known.get(key);
  if (observer === undefined) {
    observer = histogram.with({ route, method: methods[at] ?? 'other', status: String(status) });
    known.set(key, observer);
  }
  return observer;
}

/** Those that have a label of their own. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

/** Logs what went wrong as loudly as it deserves, and answers it as a problem. */
export function answerFailure(thrown: unknown, res: ServerResponse, info: ExchangeInfo, log: Logger): void {
  const error = asAppError(thrown);
  const { requestId, route } = info;
  const entry = { event: 'request.failed', code: error.code, route, requestId };
  if (error.code === 'INTERNAL') log.error({ ...entry, err: error.cause ?? error }, 'a request failed');
  else if (error.status >= 500) log.warn({ ...entry, reason: error.message }, 'a request was not served');
  else log.debug(entry, 'a request was refused');
  sendProblem(res, error, requestId);
}
